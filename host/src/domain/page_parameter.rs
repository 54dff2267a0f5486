//! Parameters of pages with their slugs replaced, each in the syntax its author wrote it in.
//!
//! In a part of an address and in JSON, a value is escaped, so that it stays one value. Any other text takes values as
//! they are, and so does a parameter that is one slug alone. Refuses a text that a browser would run.

use super::PageType;
use super::address::{Address, RUNS, Refused, begins_with, runs_code};
use super::json_text::JsonText;
use super::slug::{Rendered, Template, Values};

/// Why a parameter is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unusable {
    /// It is not an address, or a value in it does not fit.
    #[error(transparent)]
    Address(#[from] Refused),
    /// A browser would run it.
    #[error("{RUNS}")]
    Runs,
    /// The value of a slug is not the name of a web resource.
    #[error(
        "the value of `{0}` is no name of a web resource: give letters, digits, `_`, `-`, `.`, and steps between `/`"
    )]
    NoResource(String),
    /// It is not the `https` address of another site.
    #[error("its address `{0}` does not begin with `https://`, or is not well-formed behind that")]
    NoHttps(String),
}

/// Most characters of an address that a message shows.
const SHOWN: usize = 200;

/// The address of another site.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Website {
    /// The parameter `url`.
    pub url: Rendered,
    /// The parameter `data`, if there is one.
    pub data: Option<Rendered>,
    /// Both together, if `url` has all its values; `url` alone if `data` lacks a value.
    pub address: Option<String>,
}

/// Renders the address of another site: `url`, and `data` behind it.
pub fn website(url: &str, data: Option<&str>, values: &mut dyn Values) -> Result<Website, Unusable> {
    let Ok(template) = Template::parse(url.trim()) else {
        return Ok(Website { url: unreadable(url), data: None, address: None });
    };
    let mut address = Address::absolute();
    let url = template.render_as(values, &mut address).map_err(Refused::from)?;
    if !url.unresolved.is_empty() {
        return Ok(Website { url, data: None, address: None });
    }
    let mut longer = address.clone();
    longer.begin_another();
    let data = match data.map(|text| (text, Template::parse(text.trim()))) {
        None => None,
        Some((text, Err(_))) => Some(unreadable(text)),
        Some((_, Ok(template))) => Some(template.render_as(values, &mut longer).map_err(Refused::from)?),
    };
    let is_longer = data.as_ref().is_some_and(|data| data.unresolved.is_empty() && !data.text.is_empty());
    let address = if is_longer { longer } else { address };
    let beginning = address.beginning(SHOWN);
    let address = address.finish().map_err(|refused| match refused {
        Refused::NoAddress => Unusable::NoHttps(beginning.clone()),
        Refused::Value(_) => refused.into(),
    })?;
    if !begins_with(&address, "https://") {
        return Err(Unusable::NoHttps(beginning));
    }
    Ok(Website { url, data, address: Some(address) })
}

/// Renders a parameter of a page other than the address of another site.
pub fn render(page: PageType, key: &str, text: &str, values: &mut dyn Values) -> Result<Rendered, Unusable> {
    let Ok(template) = Template::parse(text.trim()) else { return Ok(unreadable(text)) };
    let rendered = match form(page, key, &template) {
        Form::Text => template.render(values),
        Form::Resource => {
            let rendered = template.render(values);
            if rendered.unresolved.is_empty() && !is_resource(&rendered.text) {
                return Err(Unusable::NoResource(text.trim().chars().take(SHOWN).collect()));
            }
            rendered
        }
        Form::Json => template.render_as(values, &mut JsonText::default()).map_err(Refused::from)?,
        Form::Address(mut address) => {
            let rendered = template.render_as(values, &mut address).map_err(Refused::from)?;
            if rendered.unresolved.is_empty() {
                address.finish()?;
            }
            rendered
        }
    };
    // A search text is never an address.
    if page != PageType::Search && runs_code(&rendered.text) {
        return Err(Unusable::Runs);
    }
    Ok(rendered)
}

/// The syntax of a parameter.
enum Form {
    Text,
    Json,
    Address(Address),
    /// The whole name of a web resource.
    Resource,
}

/// Tells whether a value can be the name of a web resource, which a browser finds within the site of the environment.
fn is_resource(value: &str) -> bool {
    let is_step = |step: &str| {
        let is_known = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
        !matches!(step, "" | "." | "..") && step.bytes().all(is_known)
    };
    value.split('/').all(is_step)
}

fn form(page: PageType, key: &str, template: &Template) -> Form {
    if template.is_one_slug() && key == "webresourceName" {
        return Form::Resource;
    }
    if !template.is_dynamic() || template.is_one_slug() || page == PageType::Search {
        return Form::Text;
    }
    if JsonText::is(template) {
        return Form::Json;
    }
    let beginning = template.beginning();
    let is_absolute = ["https://", "http://"].into_iter().any(|scheme| begins_with(beginning, scheme));
    if is_absolute {
        return Form::Address(Address::absolute());
    }
    let is_of_site = matches!(page, PageType::WebResource | PageType::Control | PageType::CustomPage);
    let has = |signs: &[char]| template.fixed().any(|text| text.contains(signs));
    match key {
        "webresourceName" => Form::Address(Address::path()),
        _ if !is_of_site && key != "data" => Form::Text,
        _ if beginning.starts_with('/') => Form::Address(Address::path()),
        _ if has(&['?', '&', '=', '#']) => Form::Address(Address::query()),
        _ => Form::Text,
    }
}

/// Returns a text whose slugs cannot be parsed, as a text without a value.
fn unreadable(text: &str) -> Rendered {
    Rendered { text: text.to_owned(), unresolved: vec![text.to_owned()] }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(key: &str) -> Option<String> {
        let value = match key {
            "q" => "a b&c=d",
            "up" => "../x",
            "empty" => "",
            "dots" => "..",
            "page" => "new_/page.v2.html",
            "json" => r#"a", "b": "c"#,
            "js" => "JavaScript:alert(1)",
            "link" => "https://ok.example/a?b=c&d=e#f",
            "base" => "https://ok.example",
            _ => return None,
        };
        Some(value.to_owned())
    }

    #[test]
    fn a_parameter_is_written_in_the_syntax_it_has() {
        use PageType::*;
        macro_rules! no_resource {
            ($slug:literal) => {
                concat!(
                    "the value of `",
                    $slug,
                    "` is no name of a web resource: give letters, digits, `_`, `-`, `.`, and steps between `/`"
                )
            };
        }
        for (page, key, text, expected) in [
            (WebResource, "data", "?case={q}&mode=live", "?case=a%20b%26c%3Dd&mode=live []"),
            (WebResource, "data", "case={q}", "case=a%20b%26c%3Dd []"),
            (WebResource, "data", "{q}", "a b&c=d []"),
            (WebResource, "data", "About {q}", "About a b&c=d []"),
            (WebResource, "data", r#"{"title": "{json}"}"#, r#"{"title": "a\", \"b\": \"c"} []"#),
            (WebResource, "data", "{js}", RUNS),
            (WebResource, "data", "javascript:alert(1)", RUNS),
            (WebResource, "data", " data:text/html,{q}", RUNS),
            (WebResource, "webresourceName", "new_/{up}/page.html", "new_/..%2Fx/page.html []"),
            (WebResource, "webresourceName", "{page}", "new_/page.v2.html []"),
            (WebResource, "webresourceName", "{up}", no_resource!("{up}")),
            (WebResource, "webresourceName", "{link}", no_resource!("{link}")),
            (WebResource, "webresourceName", "{empty}", no_resource!("{empty}")),
            (WebResource, "webresourceName", "{absent}", r#" ["{absent}"]"#),
            (WebResource, "webresourceName", "//ok.example/fixed", "//ok.example/fixed []"),
            (
                WebResource,
                "webresourceName",
                "/\n{empty}/{q}",
                "the value of `{empty}` makes a host of the path behind it",
            ),
            (WebResource, "webresourceName", "new_/page.html?id={q}", "new_/page.html?id=a%20b%26c%3Dd []"),
            (WebResource, "opener", "/{empty}/{q}", "the value of `{empty}` makes a host of the path behind it"),
            (
                WebResource,
                "webresourceName",
                "{empty}/{empty}/{q}",
                "the value of `{empty}` makes a host of the path behind it",
            ),
            (WebResource, "data", "back=/a/{dots}", "back=/a/.. []"),
            (WebResource, "opener", "/site/{up}?x={q}", "/site/..%2Fx?x=a%20b%26c%3Dd []"),
            (Control, "data", "https://ok.example/{up}", "https://ok.example/..%2Fx []"),
            (Control, "data", "{link}", "https://ok.example/a?b=c&d=e#f []"),
            (EntityRecord, "data", r#"[{"id": "{json}"}]"#, r#"[{"id": "a\", \"b\": \"c"}] []"#),
            (EntityRecord, "entityName", "{q}", "a b&c=d []"),
            (Search, "searchText", "data: {q}?", "data: a b&c=d? []"),
            (CustomPage, "recordId", "{absent}", r#" ["{absent}"]"#),
        ] {
            let found = match render(page, key, text, &mut value) {
                Ok(rendered) => format!("{} {:?}", rendered.text, rendered.unresolved),
                Err(unusable) => unusable.to_string(),
            };
            assert_eq!(found, expected, "{text}");
        }
    }

    #[test]
    fn another_site_is_where_its_template_says() {
        for (url, data, expected) in [
            ("https://a.example/", Some("?q={q}\r"), "https://a.example/?q=a%20b%26c%3Dd"),
            ("https://a.example/?", Some("q={q}"), "https://a.example/?q=a%20b%26c%3Dd"),
            ("https://a.example/", Some("?q={absent}"), "https://a.example/"),
            ("{link}", None, "https://ok.example/a?b=c&d=e#f"),
            ("{base}", Some("/{up}"), "https://ok.example/..%2Fx"),
            (
                "{base}",
                Some(".evil.example"),
                "the value of `{base}` does not end where the text behind it could go on",
            ),
            (
                "https://a.example",
                Some("{up}"),
                "the value of `{up}` stands right behind the host, and would change it: write a `/` or a `?` before it",
            ),
            ("https://a.example", Some("/{up}"), "https://a.example/..%2Fx"),
            (
                "https:///",
                Some("{up}"),
                "its address `https:///..%2Fx` does not begin with `https://`, or is not well-formed behind that",
            ),
            ("{js}", None, "the value of `{js}` is no address that begins with `https://`"),
            (
                "http://a.example/{q}",
                None,
                "its address `http://a.example/a%20b%26c%3Dd` does not begin with `https://`, or is not well-formed behind that",
            ),
            (
                "javascript:alert(1)",
                None,
                "its address `javascript:alert(1)` does not begin with `https://`, or is not well-formed behind that",
            ),
            ("HTTPS://a.example", None, "HTTPS://a.example"),
            (
                "https://",
                None,
                "its address `https://` does not begin with `https://`, or is not well-formed behind that",
            ),
            ("{absent}", Some("x"), "nothing"),
        ] {
            let found = match website(url, data, &mut value) {
                Ok(website) => website.address.unwrap_or_else(|| "nothing".to_owned()),
                Err(unusable) => unusable.to_string(),
            };
            assert_eq!(found, expected, "{url} {data:?}");
        }
    }
}
