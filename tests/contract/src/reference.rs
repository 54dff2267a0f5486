//! The contract as a page to look things up in: worlds, and under each interface its functions and types.

use std::fmt::Write as _;

use wit_component::WitPrinter;
use wit_parser::{Docs, Function, Interface, Resolve, Type, TypeDef, TypeDefKind, WorldItem, WorldKey};

use crate::Contract;

/// The page, as Markdown. Everything in it comes from the WIT files.
pub fn reference(contract: &Contract) -> Result<String, String> {
    let (resolve, package) = contract.parts();
    let package = &resolve.packages[package];
    let mut page = format!("# The contract `{}`\n\n## Worlds\n", package.name);
    for world in package.worlds.values().map(|id| &resolve.worlds[*id]) {
        let listed = |items: Vec<String>| if items.is_empty() { "nothing".to_owned() } else { items.join(", ") };
        let names = |items: &mut dyn Iterator<Item = (&WorldKey, &WorldItem)>| {
            listed(items.map(|(key, _)| linked(resolve, key)).collect())
        };
        write(&mut page, format_args!("\n### `{}`\n\n{}\n", world.name, prose(&world.docs)));
        write(&mut page, format_args!("Imports {}. ", names(&mut world.imports.iter())));
        write(&mut page, format_args!("Exports {}.\n", names(&mut world.exports.iter())));
    }
    page.push_str("\n## Interfaces\n");
    for (name, id) in &package.interfaces {
        interface(&mut page, resolve, name, &resolve.interfaces[*id])?;
    }
    Ok(page)
}

fn interface(page: &mut String, resolve: &Resolve, name: &str, interface: &Interface) -> Result<(), String> {
    write(page, format_args!("\n### {name}\n\n{}", prose(&interface.docs)));
    for function in interface.functions.values() {
        let text = prose(&function.docs);
        write(page, format_args!("\n#### `{}`\n\n{text}", signature(resolve, function)?));
    }
    for (name, id) in &interface.types {
        let ty = &resolve.types[*id];
        // What is used here is described where it is from.
        let Some(parts) = parts(resolve, ty)? else { continue };
        write(page, format_args!("\n#### {} `{name}`\n\n{}\n{parts}", ty.kind.as_str(), prose(&ty.docs)));
    }
    Ok(())
}

/// `name: func(a: string) -> bool`.
fn signature(resolve: &Resolve, function: &Function) -> Result<String, String> {
    let params = function.params.iter().map(|param| Ok(format!("{}: {}", param.name, type_name(resolve, &param.ty)?)));
    let params: Vec<String> = params.collect::<Result<_, String>>()?;
    let result = match &function.result {
        Some(ty) => format!(" -> {}", type_name(resolve, ty)?),
        None => String::new(),
    };
    Ok(format!("{}: func({}){result}", function.name, params.join(", ")))
}

/// The fields or cases of a type, a line each.
fn parts(resolve: &Resolve, ty: &TypeDef) -> Result<Option<String>, String> {
    let mut lines = String::new();
    let line = |name: &str, ty: Option<&Type>, docs: &Docs| {
        let ty = match ty {
            Some(ty) => format!(": {}", type_name(resolve, ty)?),
            None => String::new(),
        };
        Ok::<_, String>(format!("- `{name}{ty}` {}", prose(docs)))
    };
    match &ty.kind {
        TypeDefKind::Record(record) => {
            for field in &record.fields {
                lines.push_str(&line(&field.name, Some(&field.ty), &field.docs)?);
            }
        }
        TypeDefKind::Variant(variant) => {
            for case in &variant.cases {
                lines.push_str(&line(&case.name, case.ty.as_ref(), &case.docs)?);
            }
        }
        TypeDefKind::Enum(all) => {
            for case in &all.cases {
                lines.push_str(&line(&case.name, None, &case.docs)?);
            }
        }
        _ => return Ok(None),
    }
    Ok(Some(lines))
}

fn type_name(resolve: &Resolve, ty: &Type) -> Result<String, String> {
    let mut printer = WitPrinter::default();
    printer.print_type_name(resolve, ty).map_err(|error| format!("{error:#}"))?;
    Ok(printer.output.to_string())
}

/// An interface of a world, with the way to its part of the page.
fn linked(resolve: &Resolve, key: &WorldKey) -> String {
    match key {
        WorldKey::Name(name) => format!("`{name}`"),
        WorldKey::Interface(id) => {
            let name = resolve.interfaces[*id].name.as_deref().unwrap_or_default();
            format!("[{name}](#{name})")
        }
    }
}

/// A comment as paragraphs, each one line.
fn prose(docs: &Docs) -> String {
    let text = docs.contents.as_deref().unwrap_or_default();
    let paragraphs = text.split("\n\n").map(|it| it.split_whitespace().collect::<Vec<_>>().join(" "));
    let paragraphs: Vec<String> = paragraphs.filter(|it| !it.is_empty()).collect();
    if paragraphs.is_empty() { String::new() } else { paragraphs.join("\n\n") + "\n" }
}

fn write(page: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing into a text does not fail.
    let _ = page.write_fmt(text);
}
