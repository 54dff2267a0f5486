//! The command line does what it says, and its exit code says whether it did.

use std::io::{BufRead, BufReader, Read};
use std::process::Stdio;

use insta::assert_snapshot;
use loadout_tests::Done;
use loadout_tests::host::{Failure, share_compiled};
use loadout_tests::program::{loadout, outcome, signalled};
use serde_json::Value;

#[test]
fn wrong_usage_ends_in_two() -> Done {
    let folder = tempfile::tempdir()?;
    for arguments in [
        &["frobnicate"][..],
        &["resolve", "--user", "kayla"],
        &["resolve", "--user", "kayla", "--app", "x", "--entity", "incident", "--channel", "chat"],
        &["resolve", "--user", "kayla", "--app", "x", "--entity", "incident", "--context", "no-value"],
        &["resolve", "--user", "kayla", "--app", "x", "--context", "a=b"],
        &["resolve", "--user", "kayla", "--app", "x", "--explain", "all"],
        &["resolve", "--user", "kayla", "--app", "x", "--entity", "incident", "--context", "a=b", "--context", "a=c"],
        &["serve", "--sample", "fabrikam"],
        &["serve", "--listen", "everywhere"],
        &["import"],
        &["export"],
        &["token"],
        &["token", "create", "desk"],
        &["token", "create", "desk", "--role", "boss"],
        &["token", "create", "The Desk", "--role", "workspace"],
        &["token", "create", "admin", "--role", "workspace"],
        &["token", "create", "desk", "--role", "workspace", "--expires", "soon"],
        &["token", "create", "desk", "--role", "workspace"],
        &["token", "list"],
        &["token", "revoke", "desk"],
    ] {
        let output = loadout(folder.path(), arguments).output()?;
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {}", outcome(&output));
        assert!(output.stdout.is_empty() && !output.stderr.is_empty(), "{arguments:?}");
    }
    assert!(loadout(folder.path(), &["--help"]).output()?.status.success());
    Ok(())
}

#[test]
fn what_failed_is_one_sentence() -> Done {
    let folder = tempfile::tempdir()?;
    let run = |arguments: &[&str]| loadout(folder.path(), arguments).output().map(|output| outcome(&output));
    std::fs::write(folder.path().join("session.json"), r#"{"entty": "incident"}"#)?;
    assert_snapshot!(run(&["import", "nothing.zip"])?, @"1 error: `nothing.zip` cannot be read: No such file or directory (os error 2)");
    assert_snapshot!(run(&["resolve", "--user", "a", "--app", "b", "--session", "session.json"])?, @"1 error: `session.json` is no session: entty: unknown field `entty`, expected one of `workstream`, `channel`, `entity`, `template`, `event`, `context` at line 1 column 8");
    std::fs::write(folder.path().join("file"), "")?;
    assert_snapshot!(run(&["serve", "--data", "file"])?, @"1 error: the data folder `file` cannot be used: File exists (os error 17)");
    Ok(())
}

#[test]
fn what_only_reads_makes_no_environment() -> Done {
    let folder = tempfile::tempdir()?;
    std::fs::write(folder.path().join("solution.zip"), "PK")?;
    let asked = ["resolve", "--data", "mistyped", "--user", "a", "--app", "b"];
    let tried = ["import", "solution.zip", "--data", "mistyped", "--dry-run"];
    for arguments in [&asked[..], &tried] {
        let output = loadout(folder.path(), arguments).output()?;
        assert_eq!(
            outcome(&output),
            "2 error: there is no environment in `mistyped`: name another folder with `--data`, or make one with `loadout serve` or `loadout import`"
        );
    }
    assert!(!folder.path().join("mistyped").exists());
    Ok(())
}

/// One folder for what needs an environment: it is made once, and its compiled plugins serve every step.
#[test]
fn an_environment_is_served_asked_and_imported_into() -> Done {
    let folder = tempfile::tempdir()?;
    let arguments = ["serve", "--data", "env", "--listen", "127.0.0.1:0", "--sample", "contoso"];
    let mut server = loadout(folder.path(), &arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    let mut line = String::new();
    let mut out = BufReader::new(server.stdout.take().ok_or("no output")?);
    out.read_line(&mut line)?;
    let (address, place) = line
        .strip_prefix("loadout is ready at http://")
        .and_then(|rest| rest.trim_end().split_once(", the admin token is in "))
        .ok_or_else(|| format!("not ready: {line}"))?;
    let token = std::fs::read_to_string(folder.path().join(place))?;
    let path = "/api/v1/users/kayla/experience?app=customer-service-workspace&explain=full";
    let served = answer(address, path, &token)?;

    let resolve =
        ["resolve", "--data", "env", "--user", "kayla", "--app", "customer-service-workspace", "--explain", "full"];
    let resolved = loadout(folder.path(), &resolve).output()?;
    assert_eq!(String::from_utf8_lossy(&resolved.stdout).trim_end(), served, "{}", outcome(&resolved));
    let experience: Value = serde_json::from_str(&served)?;
    assert_eq!(experience["profile"]["uniqueName"], "contoso_rep");

    let case = ["--entity", "incident", "--context", "anchor.ticketnumber=CAS-01"];
    let output = loadout(folder.path(), &[&resolve[..7], &case].concat()).output()?;
    let experience: Value = serde_json::from_slice(&output.stdout)?;
    assert!(experience["session"]["title"].as_str().is_some_and(|title| title.contains("CAS-01")), "{experience}");

    let nobody = ["resolve", "--data", "env", "--user", "nobody", "--app", "customer-service-workspace"];
    assert_snapshot!(outcome(&loadout(folder.path(), &nobody).output()?), @"1 error: user `nobody` does not exist");
    std::fs::write(folder.path().join("broken.zip"), "PK")?;
    let import = ["import", "broken.zip", "--data", "env", "--dry-run"];
    let refused = outcome(&loadout(folder.path(), &import).output()?);
    assert!(
        refused.starts_with("1 error: `broken.zip` is not imported: the file is not a complete zip archive"),
        "{refused}"
    );

    stop(&mut server)?;
    let mut log = String::new();
    server.stderr.take().ok_or("no log")?.read_to_string(&mut log)?;
    assert!(!log.contains(token.trim()), "the token is in the log");
    Ok(())
}

/// The server logs all it can, and is asked with every token there is.
#[test]
fn tokens_are_made_and_revoked_beside_a_server_that_never_logs_them() -> Done {
    let folder = tempfile::tempdir()?;
    share_compiled(&folder.path().join("env"))?;
    let run = |arguments: &[&str]| loadout(folder.path(), arguments).output();
    let log = folder.path().join("log");
    let mut server = loadout(folder.path(), &["serve", "--data", "env", "--listen", "127.0.0.1:0"])
        .env("RUST_LOG", "trace")
        .stdout(Stdio::piped())
        .stderr(std::fs::File::create(&log)?)
        .spawn()?;
    let mut line = String::new();
    BufReader::new(server.stdout.take().ok_or("no output")?).read_line(&mut line)?;
    let rest = line.strip_prefix("loadout is ready at http://").ok_or_else(|| format!("not ready: {line}"))?;
    let (address, _) = rest.split_once(',').ok_or("no address")?;

    assert_snapshot!(String::from_utf8(run(&["token", "list", "--data", "env"])?.stdout)?, @"there are no named tokens: make one with `loadout token create NAME --role ROLE`");
    let create = ["token", "create", "desk", "--role", "workspace", "--role", "auditor", "--data", "env"];
    let made = run(&[&create[..], &["--expires", "2999-01-01T00:00:00Z"]].concat())?;
    let secret = String::from_utf8(made.stdout.clone())?.trim_end().to_owned();
    assert!(secret.starts_with("loadout_") && secret.len() == 72, "{}", outcome(&made));
    assert_snapshot!(outcome(&run(&create)?), @"1 error: there is, or was, a token `desk` already: choose another name, so that history can tell them apart");
    assert_snapshot!(answer(address, "/api/v1/me", &secret)?, @r#"{"name":"desk","roles":["workspace","auditor"],"privileges":["experience.read","history.read","audit.read"]}"#);
    assert!(text(address, "GET /api/v1/profiles", &secret)?.starts_with("HTTP/1.1 403"));
    // A caller takes the secret for the name.
    assert!(text(address, &format!("DELETE /api/v1/tokens/{secret}"), &secret)?.starts_with("HTTP/1.1 403"));

    assert_snapshot!(outcome(&run(&["token", "revoke", "shop", "--data", "env"])?), @"1 error: there is no token `shop`: type `loadout token list`, or ask `/api/v1/tokens`");
    assert_snapshot!(String::from_utf8(run(&["token", "revoke", "desk", "--data", "env"])?.stdout)?, @"token `desk` serves no more");
    assert!(text(address, "GET /api/v1/me", &secret)?.starts_with("HTTP/1.1 401"));
    let listed: Value = serde_json::from_slice(&run(&["token", "list", "--data", "env", "--json"])?.stdout)?;
    assert_eq!((&listed[0]["name"], listed[0]["revoked"].is_string()), (&"desk".into(), true), "{listed}");
    let listed = String::from_utf8(run(&["token", "list", "--data", "env"])?.stdout)?;
    assert!(listed.starts_with("desk  revoked  workspace auditor, made "), "{listed}");

    stop(&mut server)?;
    let log = std::fs::read_to_string(log)?;
    assert!(log.contains("turned a call away") && log.contains("TRACE"), "the log says little:\n{log}");
    let admin = std::fs::read_to_string(folder.path().join("env/admin.token"))?;
    for secret in [secret.trim_start_matches("loadout_"), admin.trim()] {
        assert!(!log.contains(secret), "a secret is in the log");
    }
    Ok(())
}

/// The body of the answer to a GET, over a connection of its own.
fn answer(address: &str, path: &str, token: &str) -> Result<String, Failure> {
    let text = text(address, &format!("GET {path}"), token)?;
    let (head, body) = text.split_once("\r\n\r\n").ok_or("no answer")?;
    assert!(head.starts_with("HTTP/1.1 200"), "{text}");
    Ok(body.to_owned())
}

/// The whole answer to a request without a body, such as `GET /api/v1/me`.
fn text(address: &str, request: &str, token: &str) -> Result<String, Failure> {
    let request = format!(
        "{request} HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {}\r\nconnection: close\r\n\r\n",
        token.trim()
    );
    let mut stream = std::net::TcpStream::connect(address)?;
    std::io::Write::write_all(&mut stream, request.as_bytes())?;
    let mut text = String::new();
    stream.read_to_string(&mut text)?;
    Ok(text)
}

/// Asks the server to stop the way service managers do; it must end on its own, and well.
fn stop(server: &mut std::process::Child) -> Done {
    signalled(server, "-TERM")?;
    let status = server.wait()?;
    assert!(status.success(), "ended with {status}");
    Ok(())
}
