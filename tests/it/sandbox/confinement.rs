//! What compiles and tries components can do nothing else, from before it reads the first byte.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::process::{Command, Stdio};

use loadout::plugin::{COMPILE_COMMAND, TRY_COMMAND};
use loadout_tests::Done;
use loadout_tests::attempts::{COMMAND, WAYS};
use loadout_tests::host::Failure;
use loadout_tests::program;

/// What a process could do after it had given up what `way` names: first which nets were around it, then a line for
/// each attempt.
fn attempts(way: &str) -> Result<Vec<String>, Failure> {
    let folder = tempfile::tempdir()?;
    for name in ["there", "old"] {
        fs::write(folder.path().join(name), name)?;
    }
    let server = TcpListener::bind("127.0.0.1:0")?;
    let address = server.local_addr()?.to_string();
    let tried = Command::new(program::path()).args([COMMAND, way]).arg(folder.path()).arg(address).output()?;
    let said = String::from_utf8(tried.stdout)?;
    assert!(tried.status.success(), "{way}: {said}{}", String::from_utf8_lossy(&tried.stderr));
    Ok(said.lines().map(str::to_owned).collect())
}

/// Says why nothing is shown on a system that offers nothing.
fn is_offered(what: &str, said: &str) -> bool {
    let is_offered = !said.contains(&format!("{what} false"));
    if !is_offered {
        let _ = writeln!(std::io::stderr(), "not shown, because this kernel does not offer it: {said}");
    }
    is_offered
}

#[test]
fn a_process_that_gave_up_its_rights_is_refused_everything_that_it_could_do_before() -> Done {
    let [free, files, compile, tried] = WAYS.map(attempts);
    let (free, files, compile, tried) = (free?, files?, compile?, tried?);
    // Each attempt is one that works: what is refused later is refused because of what was given up.
    assert!(free.len() > 10 && free[1..].iter().all(|line| line.ends_with(": done")), "{free:#?}");
    let allowed = |lines: &[String]| {
        let is_refused = |line: &&String| line.ends_with(": PermissionDenied");
        lines[1..].iter().filter(|line| !is_refused(line)).cloned().collect::<Vec<_>>()
    };
    if is_offered("files", &files[0]) {
        // Of the rest, newer kernels refuse more.
        let whatever = ["open a file", "list a folder", "write", "make", "rename", "remove", "run a program"];
        for refused in whatever {
            assert!(files.iter().any(|line| line.starts_with(refused)), "{files:#?}");
            assert!(!allowed(&files).iter().any(|line| line.starts_with(refused)), "{files:#?}");
        }
    }
    if is_offered("calls", &compile[0]) {
        assert_eq!(allowed(&compile), [""; 0], "{compile:#?}");
        assert_eq!(allowed(&tried), ["start a thread: done", "map memory to be run: done"], "{tried:#?}");
    }
    Ok(())
}

#[test]
fn rights_are_given_up_before_the_first_byte_is_read() -> Done {
    for command in [COMPILE_COMMAND, TRY_COMMAND] {
        let mut child = Command::new(program::path())
            .args([command, "60", "1073741824"])
            .env("NO_COLOR", "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let (input, output) = (child.stdin.take(), child.stdout.as_mut());
        let mut first = [0];
        output.ok_or("no output")?.read_exact(&mut first)?;
        let status = fs::read_to_string(format!("/proc/{}/status", child.id()))?;
        let limits = fs::read_to_string(format!("/proc/{}/limits", child.id()))?;
        // It waits for a component, and gets none.
        drop(input);
        let ended = child.wait()?;
        assert!(!ended.success(), "{command} made something of nothing");
        let line = |text: &str, name: &str| {
            let line = text.lines().find(|line| line.starts_with(name)).unwrap_or_default();
            line.split_whitespace().collect::<Vec<_>>().join(" ")
        };
        let held = [
            line(&limits, "Max cpu time"),
            line(&limits, "Max file size"),
            line(&limits, "Max data size"),
            line(&limits, "Max core file size"),
            line(&limits, "Max open files"),
        ];
        let limited = [
            "Max cpu time 60 62 seconds",
            "Max file size 0 0 bytes",
            "Max data size 1073741824 1073741824 bytes",
            "Max core file size 0 0 bytes",
            "Max open files 3 3 files",
        ];
        assert_eq!(held, limited, "{command}");
        if first[0] & 2 == 0 {
            let _ = writeln!(std::io::stderr(), "not shown, because this kernel does not offer it: seccomp");
            continue;
        }
        let held = ["NoNewPrivs", "Seccomp:", "Threads"].map(|name| line(&status, name));
        assert_eq!(held, ["NoNewPrivs: 1", "Seccomp: 2", "Threads: 1"], "{command}");
    }
    Ok(())
}
