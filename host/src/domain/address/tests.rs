//! Addresses with hostile values in their slugs.

use proptest::prelude::*;

use super::super::slug::Template;
use super::*;

/// The address of a template, with one value for every slug.
fn filled(template: &str, value: &str) -> Result<String, String> {
    let mut address = Address::absolute();
    let template = Template::parse(template).unwrap();
    let mut values = |_: &str| Some(value.to_owned());
    template.render_as(&mut values, &mut address).map_err(|error| error.to_string())?;
    address.finish().map_err(|error| error.to_string())
}

const HOST: &str =
    "the value of `{x}` stands in the host of the address, which takes letters, digits and hyphens alone";
const GOES_ON: &str = "the value of `{x}` does not end where the text behind it could go on";
const NO_ADDRESS: &str =
    "the address does not begin with `https://`, or no browser can read it: write it as `https://host/path`";
const OTHER: &str = "the value of `{x}` makes another host of the address";
const STEP: &str = "the value of `{x}` makes a step of the path that leads elsewhere";

#[test]
fn a_value_fills_its_blank_and_nothing_else() {
    let media = "https://media.example/panel/?mode=live&surface=tab&group={x}";
    let shop = "https://shop-{x}.example/orders";
    for (template, value, expected) in [
        (media, "6f0c7a1e-1111", Ok("https://media.example/panel/?mode=live&surface=tab&group=6f0c7a1e-1111")),
        (
            media,
            "x&mode=admin#y z",
            Ok("https://media.example/panel/?mode=live&surface=tab&group=x%26mode%3Dadmin%23y%20z"),
        ),
        (media, "{name}+%41", Ok("https://media.example/panel/?mode=live&surface=tab&group=%7Bname%7D%2B%2541")),
        (shop, "eu", Ok("https://shop-eu.example/orders")),
        (shop, "@attacker.example/", Err(HOST)),
        (shop, "a.b/", Err(HOST)),
        (shop, "x?", Err(HOST)),
        (shop, "x#", Err(HOST)),
        (shop, "", Err(HOST)),
        (shop, "ä", Err(HOST)),
        ("https://{x}@shop.example/", "me", Ok("https://me@shop.example/")),
        ("https://{x}@shop.example/", "me:pw@evil.example/", Err(HOST)),
        ("https://shop.example.{x}/", "com", Err(OTHER)),
        ("https://shop.co{x}/", "m", Err(OTHER)),
        ("https://shop.co{x}:8443", "m", Err(OTHER)),
        ("https://shop.co{x}./", "m", Err(OTHER)),
        ("https://shop\u{3002}co{x}/", "m", Err(OTHER)),
        ("https://me@shop.co{x}?q", "m", Err(OTHER)),
        ("https://{x}.shop.example:{x}/", "1", Ok("https://1.shop.example:1/")),
        ("https://shop.example/a/b/.\n{x}/c", ".", Err(STEP)),
        ("https://shop.example/a/%2\t{x}%2e/c", "e", Err(STEP)),
        ("https://shop\n.example/{x}", "a", Ok("https://shop.example/a")),
        ("https://{x}/", "intranet", Ok("https://intranet/")),
        ("https://{x}/", "2130706433", Err(OTHER)),
        ("https://shop.example:{x}/", "8443", Ok("https://shop.example:8443/")),
        ("https://shop.example:{x}/", "a", Err("the value of `{x}` makes a host that cannot be")),
        ("https://shop.example/a/{x}/b", "c/d e", Ok("https://shop.example/a/c%2Fd%20e/b")),
        ("https://shop.example/a/{x}/b", "..", Err(STEP)),
        ("https://shop.example/a/.{x}/b", ".", Err(STEP)),
        ("https://shop.example/a/.{x}", "", Err(STEP)),
        ("https://shop.example/a/%2e{x}?b", ".", Err(STEP)),
        ("https://shop.example/a/{x}", "a..", Ok("https://shop.example/a/a..")),
        ("https://shop.example/?up={x}", "..", Ok("https://shop.example/?up=..")),
        ("https://shop.example/#/{x}", "a/b", Ok("https://shop.example/#/a%2Fb")),
        ("https://shop.example/?{x}=1", "a=b&c", Ok("https://shop.example/?a%3Db%26c=1")),
        ("{x}", "https://ok.example/a?b=c&d=e#f", Ok("https://ok.example/a?b=c&d=e#f")),
        ("{x}", "HTTPS://ok.example", Ok("HTTPS://ok.example")),
        ("{x}", "javascript:alert(1)", Err("the value of `{x}` is no address that begins with `https://`")),
        ("{x}", "DATA:text/html,x", Err("the value of `{x}` is no address that begins with `https://`")),
        ("{x}/path", "https://ok.example", Ok("https://ok.example/path")),
        ("{x}/path", "https://ok.example/a", Ok("https://ok.example/a/path")),
        ("{x}/path", "https://ok.example/a?b", Err(GOES_ON)),
        ("{x}/path", "https://ok.example/a#b", Err(GOES_ON)),
        ("{x}&lang=de", "https://ok.example/?a=b", Ok("https://ok.example/?a=b&lang=de")),
        ("{x}&lang=de", "https://ok.example/?a=b#c", Err(GOES_ON)),
        ("{x}.example/path", "https://ok", Err(GOES_ON)),
        ("{x}@evil.example/", "https://ok.example", Err(GOES_ON)),
        ("{x}{x}", "https://ok.example", Err(GOES_ON)),
        ("https:///{x}/orders", "attacker.example", Err(NO_ADDRESS)),
        ("https://\\{x}", "attacker.example", Err(NO_ADDRESS)),
        ("https://?{x}", "attacker.example", Err(NO_ADDRESS)),
        ("https:///{x}", "", Err(NO_ADDRESS)),
        ("{x}/path", "https:///ok.example", Err("the value of `{x}` is no address that begins with `https://`")),
        ("http://ok.example/{x}", "a b", Ok("http://ok.example/a%20b")),
        ("javascript:{x}", "alert", Err(NO_ADDRESS)),
    ] {
        let found = filled(template, value);
        assert_eq!(found.as_deref().map_err(String::as_str), expected, "{template} with {value:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn whatever_strangers_write_the_author_decides_where_it_leads(
        value in prop_oneof![".*", "[a-z0-9-]{0,9}", "[@:/?#&=%.\\\\ {}a1\t-]{0,9}"],
        template in prop::sample::select(&[
            "https://a-{x}.example:8443/p/{x}/q-{x}?k={x}&l=m{x}#f{x}",
            "https://a.example/p/{x}/q-{x}?k={x}&l=m{x}#f{x}",
            "https://a.example/{x}/.{x}/?{x}=1&l={x}",
        ][..]),
    ) {
        let Ok(address) = filled(template, &value) else { return Ok(()) };
        let plain = Url::parse(&template.replace("{x}", "x")).unwrap();
        let found = Url::parse(&address).unwrap();
        prop_assert_eq!(found.scheme(), plain.scheme());
        prop_assert_eq!(found.port(), plain.port());
        let host = plain.host_str().unwrap().replace("-x.", &format!("-{}.", value.to_ascii_lowercase()));
        prop_assert_eq!(found.host_str().unwrap(), host);
        prop_assert_eq!(found.username(), "");
        prop_assert_eq!(found.path_segments().unwrap().count(), plain.path_segments().unwrap().count());
        prop_assert_eq!(found.fragment().is_some(), plain.fragment().is_some());
        let pairs: Vec<(String, String)> = found.query_pairs().into_owned().collect();
        let expected: Vec<(String, String)> = Url::parse(template).unwrap_or_else(|_| plain.clone())
            .query_pairs().into_owned().map(|(key, text)| {
                let with = |text: String| text.replace("{x}", &value);
                (with(key), with(text))
            }).collect();
        if template.starts_with("https://a.") {
            prop_assert_eq!(pairs, expected);
        }
        prop_assert!(!address.contains(char::is_whitespace));
    }
}
