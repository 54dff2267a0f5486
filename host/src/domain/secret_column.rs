//! Columns of old environments whose values are secrets: no item has such a value, no plugin sees one, and no report
//! shows one.
//!
//! The end of a column's name tells that it holds secrets, in any table. A yes or no under such a name is not a secret.

use serde_json::Value;

/// The text in place of a value that was left behind.
pub const LEFT_BEHIND: &str = "[left behind]";

/// The ends of names of such columns, in lower case, without `_`, `-` and blanks, and without a number at the end.
const ENDINGS: &[&str] = &[
    "accesskey",
    "accesstoken",
    "apikey",
    "authtoken",
    "bearertoken",
    "clientcredential",
    "connectionstring",
    "passphrase",
    "password",
    "privatekey",
    "providerapikey",
    "pwd",
    "refreshtoken",
    "sastoken",
    "secret",
    "secretkey",
    "secretvalue",
    "secureapikey",
    "securekey",
    "sharedkey",
    "signingkey",
];

/// Tells whether the values of a column are secrets. `name` may be a path that ends in the column, such as
/// `table/row/column`.
pub fn is_secret_column(name: &str) -> bool {
    let column = name.rsplit(['/', '.', ':']).next().unwrap_or_default();
    let plain: String = column.chars().filter(|c| !matches!(c, '_' | '-' | ' ')).collect();
    let plain = plain.to_ascii_lowercase();
    let plain = plain.trim_end_matches(|c: char| c.is_ascii_digit());
    ENDINGS.iter().any(|ending| plain.ends_with(ending))
}

/// Tells whether `value` of the column `name` is a secret.
pub fn is_secret(name: &str, value: &str) -> bool {
    let says_nothing = ["", "0", "1", "true", "false", "yes", "no"];
    !says_nothing.contains(&value.trim().to_ascii_lowercase().as_str()) && is_secret_column(name)
}

/// Removes the secrets from the JSON form of an item, or of a patch of one. Returns the columns that had one.
pub fn strip(item: &mut Value) -> Vec<String> {
    let attributes = item.get_mut("source").and_then(|source| source.get_mut("attributes"));
    let Some(attributes) = attributes.and_then(Value::as_object_mut) else { return Vec::new() };
    let is_secret = |(name, value): (&String, &Value)| is_secret(name, value.as_str().unwrap_or_default());
    let found: Vec<String> = attributes.iter().filter(|it| is_secret(*it)).map(|(name, _)| name.clone()).collect();
    for name in &found {
        attributes.remove(name);
    }
    if attributes.is_empty()
        && !found.is_empty()
        && let Some(source) = item.get_mut("source").and_then(Value::as_object_mut)
    {
        source.remove("attributes");
    }
    found
}

/// Returns the sentence of a report about columns of a row that were left behind.
pub fn left_behind(columns: &[String]) -> String {
    let named: Vec<String> = columns.iter().map(|column| format!("`{column}`")).collect();
    let (named, hold, values) = match named.as_slice() {
        [one] => (one.clone(), "holds a secret", "its value was"),
        several => (several.join(", "), "hold secrets", "their values were"),
    };
    format!(
        "{named} {hold}, so {values} left behind: write what is still needed with `PUT /api/v1/secrets/{{name}}`, for the hosts it is for"
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_column_is_told_by_its_name() {
        for secret in [
            "msdyn_apikey",
            "msdyn_secureapikey",
            "msdyn_providerapikey",
            "msdyn_msappsecret",
            "msdyn_authenticationclientsecret",
            "new_Client_Secret",
            "new_api-key2",
            "cr1_password",
            "cr1_accesstoken",
            "msdyn_channel/sms/msdyn_apikey",
        ] {
            assert!(is_secret_column(secret), "{secret}");
        }
        for other in
            ["msdyn_apikeyversionnumber", "msdyn_accesstokenurl", "msdyn_name", "secretariat", "msdyn_apikey/name", ""]
        {
            assert!(!is_secret_column(other), "{other}");
        }
        assert!(
            is_secret("msdyn_apikey", "k") && !is_secret("msdyn_hassecret", "True") && !is_secret("msdyn_apikey", " ")
        );
    }

    #[test]
    fn an_item_is_left_without_its_secrets() {
        let mut item = json!({"name": "x", "source": {"id": "1", "attributes": {"msdyn_apikey": "k", "a": "b"}}});
        assert_eq!(strip(&mut item), ["msdyn_apikey"]);
        assert_eq!(item, json!({"name": "x", "source": {"id": "1", "attributes": {"a": "b"}}}));
        assert_eq!(strip(&mut item), Vec::<String>::new());
        let mut only = json!({"source": {"attributes": {"t/r/msdyn_apikey": "k"}}});
        strip(&mut only);
        assert_eq!(only, json!({"source": {}}));
        assert!(left_behind(&["a".to_owned()]).starts_with("`a` holds a secret, so its value was left behind: "));
        assert!(
            left_behind(&["a".to_owned(), "b".to_owned()]).starts_with("`a`, `b` hold secrets, so their values were ")
        );
    }
}
