//! Texts of the configuration, in the person's language and with their slugs replaced.

use crate::domain::Localized;

use super::Facts;
use super::explain::Account;

/// Longest title that is displayed, in characters (ruling 8.29).
const TITLE_SHOWN: usize = 200;

/// Returns a title, cut to [`TITLE_SHOWN`] characters; `otherwise` if there is none or nothing is left of it (ruling
/// 8.11).
pub(super) fn title<const MAX: usize>(
    text: Option<&Localized<MAX>>,
    place: &str,
    facts: &Facts,
    account: &mut Account,
    otherwise: impl FnOnce() -> String,
) -> String {
    let rendered = text.map(|text| account.render(facts, text.in_language(facts.language)));
    let title = rendered.and_then(|rendered| {
        account.unresolved(place, &rendered.unresolved);
        rendered.as_title()
    });
    title.unwrap_or_else(otherwise).chars().take(TITLE_SHOWN).collect()
}

/// Returns a text of one line, such as a value in a notification: blanks collapsed, and empty if nothing is left
/// (ruling 8.11).
pub(super) fn line<const MAX: usize>(
    text: &Localized<MAX>,
    place: &str,
    facts: &Facts,
    account: &mut Account,
) -> String {
    let rendered = account.render(facts, text.in_language(facts.language));
    account.unresolved(place, &rendered.unresolved);
    rendered.as_title().unwrap_or_default()
}

/// Returns a text in which a slug without a value is replaced by nothing.
pub(super) fn text<const MAX: usize>(
    text: &Localized<MAX>,
    place: &str,
    facts: &Facts,
    account: &mut Account,
) -> String {
    let rendered = account.render(facts, text.in_language(facts.language));
    account.unresolved(place, &rendered.unresolved);
    rendered.text
}
