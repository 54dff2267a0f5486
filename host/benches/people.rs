//! Lists of people, by every filter and order that has an index, over as many people as are asked for.
//!
//! A scan is the time to read all people once, in batches, and to do nothing with them. The ratio of a list to a scan
//! says whether the list depends on the number of people. Lists that no index serves are there for comparison.

#![expect(clippy::print_stdout, reason = "a benchmark prints what it measured")]

use std::error::Error;
use std::sync::Arc;
use std::time::{Duration, Instant};

use loadout::domain::revision::Author;
use loadout::domain::{AnyItem, Kind};
use loadout::http::{Options, Server, Token};
use loadout::service::Service;
use loadout::store::{Change, ChangeSet, Store};
use serde_json::{Value, json};

const TOKEN: &str = "a-token-of-the-benchmark";
const ROUNDS: usize = 15;
/// People written by one revision.
const AT_ONCE: usize = 5_000;
/// People without an argument.
const PEOPLE: usize = 100_000;

const LISTS: [(&str, &str, &str); 18] = [
    ("by login", "", ""),
    ("by login, the last first", "", "uniqueName desc"),
    ("by display name", "", "displayName"),
    ("by display name, the last first", "", "displayName desc"),
    ("by role", "", "roles"),
    ("by role, the last first", "", "roles desc"),
    ("one login", "uniqueName eq 'u0004711'", ""),
    ("some logins", "uniqueName in ('u0000001','u0004711','u0099999','nobody')", ""),
    ("logins that begin so", "startswith(uniqueName,'u00999')", ""),
    ("one display name", "displayName eq 'Zed'", ""),
    ("display names that begin so", "startswith(displayName,'Person 00012')", "displayName"),
    ("a role of few", "roles eq 'boss'", "displayName"),
    ("a role of half", "roles eq 'agent'", ""),
    ("a role of half, by display name", "roles eq 'agent'", "displayName desc"),
    ("one of two roles", "roles in ('agent','boss')", ""),
    ("a role and more", "roles eq 'boss' and language eq 1031 and contains(displayName,'7')", ""),
    ("no index: a part of a name", "contains(displayName,'nobody')", ""),
    ("no index: by language", "", "language"),
];

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // `cargo bench` adds an argument of its own.
    let count = std::env::args().skip(1).find_map(|argument| argument.parse().ok()).unwrap_or(PEOPLE);
    let folder = tempfile::tempdir()?;
    let begun = Instant::now();
    fill(&Store::open(folder.path())?, count)?;
    println!("{count} people, written in {:.1?}", begun.elapsed());

    let begun = Instant::now();
    let service = Arc::new(Service::start(folder.path())?);
    println!("a start over them: {:.1?}", begun.elapsed());
    let scan = scan(service.store())?;
    println!("a scan of all: {scan:.1?}\n");

    let server =
        Server::bind(Arc::clone(&service), ([127, 0, 0, 1], 0).into(), Options::new(Token::new(TOKEN)?)).await?;
    let address = format!("http://{}/api/v1/users", server.address()?);
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let running = tokio::spawn(server.run(async {
        let _ = stopped.await;
    }));
    println!("{:<36}{:>8}{:>12}{:>12}{:>12}{:>14}", "", "items", "median", "slowest", "scan : it", "100 pages on");
    let client = reqwest::Client::new();
    for (what, filter, order) in LISTS {
        let mut first = format!("{address}?limit=50");
        for (name, value) in [("filter", filter), ("order", order)] {
            if !value.is_empty() {
                first += &format!(
                    "&{name}={}",
                    percent_encoding::utf8_percent_encode(value, percent_encoding::NON_ALPHANUMERIC)
                );
            }
        }
        let (median, slowest, page) = measured(&client, &first).await?;
        let items = page["items"].as_array().map_or_else(|| page["code"].to_string(), |items| items.len().to_string());
        let ratio = scan.as_secs_f64() / median.as_secs_f64();
        let deep = match deep(&client, &address, &page).await? {
            Some(next) => format!("{:.1?}", measured(&client, &next).await?.0),
            None => String::new(),
        };
        println!(
            "{what:<36}{items:>8}{:>12}{:>12}{ratio:>12.0}{deep:>14}",
            format!("{median:.1?}"),
            format!("{slowest:.1?}")
        );
    }
    let _ = stop.send(());
    running.await??;
    Ok(())
}

/// Writes people: half of them agents, one of a thousand a boss, and one called Zed.
fn fill(store: &Store, count: usize) -> Result<(), Box<dyn Error>> {
    let author = Author::new("bench", "people to find");
    let role = |name: &str| {
        Ok::<_, Box<dyn Error>>(Change::put(name, AnyItem::parse(Kind::SecurityRole, name, json!({"name": name}))?))
    };
    store.commit(ChangeSet::new([role("agent")?, role("boss")?]), &author)?;
    for first in (0..count).step_by(AT_ONCE) {
        let mut people = Vec::with_capacity(AT_ONCE);
        for number in first..count.min(first + AT_ONCE) {
            let login = format!("u{number:07}");
            // Names in another order than logins.
            let shown =
                if number == count / 2 { "Zed".to_owned() } else { format!("Person {:07}", number * 7919 % count) };
            let mut roles = Vec::new();
            roles.extend((number % 2 == 0).then_some("agent"));
            roles.extend((number % 1000 == 0).then_some("boss"));
            let json =
                json!({"displayName": shown, "roles": roles, "licences": ["chat"], "language": 1031 + number % 3});
            people.push(Change::put(login.as_str(), AnyItem::parse(Kind::User, &login, json)?));
        }
        store.commit(ChangeSet::new(people), &author)?;
    }
    Ok(())
}

/// Returns the time to read all people once.
fn scan(store: &Store) -> Result<Duration, Box<dyn Error>> {
    let (begun, mut after) = (Instant::now(), String::new());
    while let Some((login, ..)) = store.people(&after, 500)?.pop() {
        after = login;
    }
    Ok(begun.elapsed())
}

/// The median and the slowest of some answers, and the last one.
async fn measured(client: &reqwest::Client, address: &str) -> Result<(Duration, Duration, Value), Box<dyn Error>> {
    let (mut times, mut page) = (Vec::new(), Value::Null);
    for _ in 0..ROUNDS {
        let begun = Instant::now();
        page = client.get(address).bearer_auth(TOKEN).send().await?.json().await?;
        times.push(begun.elapsed());
        if begun.elapsed() > Duration::from_secs(1) {
            break;
        }
    }
    times.sort();
    Ok((times[times.len() / 2], times[times.len() - 1], page))
}

/// The address of a page some way behind the first, if there are so many.
async fn deep(client: &reqwest::Client, address: &str, first: &Value) -> Result<Option<String>, Box<dyn Error>> {
    let root = address.trim_end_matches("/api/v1/users");
    let mut next = first["next"].as_str().map(|next| format!("{root}{next}"));
    for _ in 0..100 {
        let Some(address) = next else { return Ok(None) };
        let begun = Instant::now();
        let page: Value = client.get(&address).bearer_auth(TOKEN).send().await?.json().await?;
        if begun.elapsed() > Duration::from_secs(1) {
            return Ok(None);
        }
        next = page["next"].as_str().map(|next| format!("{root}{next}"));
    }
    Ok(next)
}
