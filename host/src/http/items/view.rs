//! Items as the API shows and takes them: the item, its unique name before it and what the store knows after it.

use std::borrow::Cow;
use std::marker::PhantomData;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::openapi::schema::{ArrayBuilder, ObjectBuilder, Schema, Type};
use utoipa::openapi::{Ref, RefOr};
use utoipa::{PartialSchema, ToSchema};

use crate::domain::{AnyItem, InvalidItem, Item, Kind, Problems, Revision};
use crate::store::Layer;

/// What the store knows about an item.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
pub(in crate::http) struct Meta {
    /// The layer that owns the item.
    pub(in crate::http) layer: Layer,
    /// The revision that wrote the item. It is also the item's entity tag.
    pub(in crate::http) revision: Revision,
}

/// What a body says of itself beside the item.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct Said {
    #[serde(default)]
    pub(in crate::http) layer: Option<Layer>,
    #[serde(default)]
    pub(in crate::http) revision: Option<Revision>,
}

/// The JSON form of an item. A part of something else shows no name of its own.
pub(in crate::http) fn show(kind: Kind, name: &str, item: &AnyItem, meta: Meta) -> Value {
    let mut view = Map::new();
    if kind.is_collection() {
        view.insert("uniqueName".to_owned(), name.into());
    }
    if let Value::Object(attributes) = item.to_json() {
        view.extend(attributes);
    }
    view.insert("meta".to_owned(), serde_json::json!(meta));
    Value::Object(view)
}

/// Takes what [`show`] added out of a body again, so that what was read can be written back.
pub(in crate::http) fn take_apart(kind: Kind, name: &str, mut body: Value) -> Result<(Value, Said), InvalidItem> {
    let invalid = |attribute: &str, message: String| {
        let mut problems = Problems::default();
        problems.refuse(attribute, message);
        InvalidItem { kind, name: name.to_owned(), problems }
    };
    let Value::Object(attributes) = &mut body else {
        return Err(invalid("", format!("expected a JSON object, found `{}`", shortened(&body))));
    };
    if kind.is_collection()
        && let Some(typed) = attributes.shift_remove("uniqueName")
        && typed.as_str() != Some(name)
    {
        let message =
            format!("`{}` is not the `{name}` of the address: make them equal, or leave it out", shortened(&typed));
        return Err(invalid("uniqueName", message));
    }
    let said = match attributes.shift_remove("meta") {
        None => Said::default(),
        // Neither a list nor nothing in place of a value, which serde takes as well.
        Some(Value::Object(meta)) if meta.values().any(Value::is_null) => {
            return Err(invalid("meta", "`null` says nothing of the item: leave it out".to_owned()));
        }
        Some(meta @ Value::Object(_)) => {
            serde_json::from_value(meta).map_err(|error| invalid("meta", error.to_string()))?
        }
        Some(other) => return Err(invalid("meta", format!("expected an object, found `{}`", shortened(&other)))),
    };
    Ok((body, said))
}

fn shortened(value: &Value) -> String {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    match text.char_indices().nth(80) {
        None => text,
        Some((end, _)) => format!("{}…", &text[..end]),
    }
}

/// The attributes a list of `T` can be filtered and sorted by.
pub(in crate::http) fn attributes<T: ToSchema>() -> Vec<String> {
    let mut attributes = vec!["uniqueName".to_owned()];
    if let RefOr::T(Schema::Object(object)) = T::schema() {
        attributes.extend(object.properties.keys().cloned());
    }
    attributes.push("meta".to_owned());
    attributes
}

/// Describes an item as the API shows it.
pub(in crate::http) struct View<T>(PhantomData<T>);

/// Describes a page of such items.
pub(in crate::http) struct PageOf<T>(PhantomData<T>);

impl<T: Item + ToSchema> PartialSchema for View<T> {
    fn schema() -> RefOr<Schema> {
        let RefOr::T(Schema::Object(mut object)) = T::schema() else { return T::schema() };
        if T::KIND.is_collection() {
            let name = ObjectBuilder::new()
                .schema_type(Type::String)
                .read_only(true)
                .description(Some("The name of the address. A body may repeat it."));
            object.properties.insert("uniqueName".to_owned(), name.build().into());
            object.required.push("uniqueName".to_owned());
        }
        object.properties.insert("meta".to_owned(), RefOr::Ref(Ref::from_schema_name(Meta::name())));
        object.required.push("meta".to_owned());
        RefOr::T(Schema::Object(object))
    }
}

impl<T: Item + ToSchema> ToSchema for View<T> {
    fn name() -> Cow<'static, str> {
        format!("{:?}", T::KIND).into()
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push((Meta::name().into(), Meta::schema()));
        Meta::schemas(schemas);
        T::schemas(schemas);
    }
}

impl<T: Item + ToSchema> PartialSchema for PageOf<T> {
    fn schema() -> RefOr<Schema> {
        let next = ObjectBuilder::new()
            .schema_type(Type::String)
            .description(Some("The address of the next page; absent on the last."));
        let items = ArrayBuilder::new().items(RefOr::Ref(Ref::from_schema_name(View::<T>::name())));
        ObjectBuilder::new().property("items", items).required("items").property("next", next).build().into()
    }
}

impl<T: Item + ToSchema> ToSchema for PageOf<T> {
    fn name() -> Cow<'static, str> {
        format!("{:?}Page", T::KIND).into()
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push((View::<T>::name().into(), View::<T>::schema()));
        View::<T>::schemas(schemas);
    }
}
