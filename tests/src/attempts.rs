//! What a process tries to do that should be able to do nothing, and what the system says to each.
//!
//! The program of the tests does this when it is asked to: once as it is, once with its rights given up.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::Command;
use std::thread;

use loadout::plugin::{Confinement, Work};
use rustix::mm::{MapFlags, ProtFlags, mmap_anonymous, munmap};
use rustix::process::{Resource, Rlimit, getppid, setrlimit, test_kill_process};

use crate::host::Failure;

/// Something that a process may try.
type Attempt<'a> = Box<dyn FnOnce() -> io::Result<()> + 'a>;

/// The sub-command of the program of the tests.
pub const COMMAND: &str = "attempt";

/// Which rights are given up first, by the word that asks for it.
pub const WAYS: [&str; 4] = ["nothing", "files", "compile", "try"];

/// Tries everything in turn, after the rights that `way` names were given up, and prints what came of it. `folder` has
/// the files `there` and `old`, and `address` is of a server.
pub fn run(way: &OsStr, folder: &Path, address: &str) -> Result<(), Failure> {
    let path = |name: &str| folder.join(name);
    let program = std::env::current_exe()?;
    let mut opened = File::open(path("there"))?;
    let parent = getppid().ok_or("no parent")?;
    let way = way.to_str().unwrap_or_default();
    let confinement = match way {
        "files" => Confinement::of_files(),
        "compile" => Confinement::of(Work::Compile),
        "try" => Confinement::of(Work::Try),
        _ => Confinement::default(),
    };
    let mut out = io::stdout();
    writeln!(out, "files {}, calls {}", confinement.files, confinement.calls)?;
    let none = Rlimit { current: Some(1), maximum: Some(1) };
    let attempts: Vec<(&str, Attempt<'_>)> = vec![
        ("open a file", Box::new(|| File::open(path("there")).map(drop))),
        ("look at a file", Box::new(|| fs::metadata(path("there")).map(drop))),
        ("list a folder", Box::new(|| fs::read_dir(folder).map(drop))),
        ("write a file", Box::new(|| fs::write(path("new"), "new"))),
        ("make a folder", Box::new(|| fs::create_dir(path("made")))),
        ("rename a file", Box::new(|| fs::rename(path("there"), path("elsewhere")))),
        ("remove a file", Box::new(|| fs::remove_file(path("old")))),
        ("read what was open", Box::new(move || opened.read(&mut [0; 4]).map(drop))),
        ("listen to TCP", Box::new(|| TcpListener::bind("127.0.0.1:0").map(drop))),
        ("connect by TCP", Box::new(|| TcpStream::connect(address).map(drop))),
        ("open a UDP socket", Box::new(|| UdpSocket::bind("127.0.0.1:0").map(drop))),
        ("open a UNIX socket", Box::new(|| UnixStream::pair().map(drop))),
        ("run a program", Box::new(|| Command::new(&program).arg("--version").output().map(drop))),
        ("signal its parent", Box::new(|| Ok(test_kill_process(parent)?))),
        ("set a limit", Box::new(|| Ok(setrlimit(Resource::Core, none)?))),
        ("start a thread", Box::new(|| thread::Builder::new().spawn(|| ()).map(|it| it.join().unwrap_or_default()))),
        ("map memory to be run", Box::new(map_to_be_run)),
    ];
    for (what, attempt) in attempts {
        let outcome = match attempt() {
            Ok(()) => "done".to_owned(),
            Err(error) => format!("{:?}", error.kind()),
        };
        writeln!(out, "{what}: {outcome}")?;
    }
    Ok(())
}

fn map_to_be_run() -> io::Result<()> {
    const PAGE: usize = 4096;
    let access = ProtFlags::READ | ProtFlags::EXEC;
    #[expect(unsafe_code, reason = "memory that can be run is what is asked for")]
    // SAFETY: the kernel chooses where the new pages lie, and this function has the only pointer to them. It gives them
    // back at once, with the very address and length they were made with, and neither reads nor runs them in between.
    unsafe {
        let mapped = mmap_anonymous(std::ptr::null_mut(), PAGE, access, MapFlags::PRIVATE)?;
        munmap(mapped, PAGE)?;
    }
    Ok(())
}
