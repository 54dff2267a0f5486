//! What the program of this package is beside the command line: the other half of tests that need a process of its own.

use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use loadout::domain::revision::Author;
use loadout::domain::{AnyItem, Kind};
use loadout::http::{Options, Server, Token};
use loadout::service::Service;
use loadout::store::{Change, ChangeSet, Store};
use serde_json::json;

use crate::host::{Failure, TOKEN, platform};

/// The first argument of a program that is a server over the folder of the second.
pub const SERVER: &str = "be-a-server";

/// The first argument of a program that writes into the folder of the second until it is killed.
pub const WRITER: &str = "be-a-writer";

/// Pairs written by one writer, at most.
const PAIRS: usize = 20_000;

/// Plays a role over a folder. Nothing if it is none of these.
pub fn play(role: &str, folder: &Path) -> Option<Result<(), Failure>> {
    match role {
        SERVER => Some(serve(folder)),
        WRITER => Some(write(folder)),
        _ => None,
    }
}

/// A server with the sample, whose limits do not depend on how busy the machine is.
fn serve(folder: &Path) -> Result<(), Failure> {
    let service = Service::start_with(folder, platform())?;
    service.add_sample("contoso")?;
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(async {
        let options = Options::new(Token::new(TOKEN)?);
        let server = Server::bind(Arc::new(service), ([127, 0, 0, 1], 0).into(), options).await?;
        writeln!(std::io::stdout(), "loadout is ready at http://{},", server.address()?)?;
        Ok(server.run(std::future::pending()).await?)
    })
}

/// Writes queues in pairs, each pair as one change, and notes how many were acknowledged.
fn write(folder: &Path) -> Result<(), Failure> {
    let store = Store::open(folder)?;
    let first = store.snapshot()?.entries(Kind::Queue).count() / 2;
    for pair in first..first + PAIRS {
        let queue = |half: &str| {
            let name = format!("{half}-{pair:06}");
            AnyItem::parse(Kind::Queue, &name, json!({"name": name})).map(|item| Change::put(name, item))
        };
        let author = Author::new("writer", pair.to_string());
        store.commit(ChangeSet::new([queue("left")?, queue("right")?]), &author)?;
        std::fs::write(folder.join("acknowledged"), (pair + 1).to_string())?;
    }
    Ok(())
}
