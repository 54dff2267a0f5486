//! Takes part in changes, and refuses each of them.

use loadout_test_guests::Verdict;
use loadout_test_guests::change::{Event, Outcome, Rejection};

fn execute(event: Event) -> Verdict {
    let message = format!("Nobody may do `{}`.", event.message);
    Ok(Outcome::Reject(Rejection { code: "never".to_owned(), message, attribute: String::new() }))
}

loadout_test_guests::handler!(execute);
