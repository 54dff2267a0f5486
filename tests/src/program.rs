//! The program under test: run to its end, as a command that goes on, or as a server.

use std::fmt;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Output, Stdio};
use std::sync::LazyLock;

use crate::host::{Failure, TOKEN, data_home};
use crate::process::ServerProcess;
use crate::roles::SERVER;

/// Where the program is: cargo puts it beside the folder of the test binaries. The program itself finds itself.
pub fn path() -> &'static Path {
    static PATH: LazyLock<PathBuf> = LazyLock::new(|| {
        let this = std::env::current_exe().unwrap_or_default();
        let name = concat!("loadout-", "under-test");
        let found = this.ancestors().map(|folder| folder.join(name)).find(|program| program.is_file());
        // Without it, the first command says that this file is not there.
        found.unwrap_or_else(|| name.into())
    });
    &PATH
}

/// The program whose promises a long trial tries: an optimised one if `LOADOUT_TEST_PROGRAM` names it.
pub fn of_a_long_trial() -> PathBuf {
    std::env::var_os("LOADOUT_TEST_PROGRAM").map_or_else(|| path().to_owned(), PathBuf::from)
}

/// A command line of the program in `folder`, without what the environment of the tests says to it.
pub fn loadout(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(path());
    command.args(arguments).env_remove("LOADOUT_ADMIN_TOKEN").env("RUST_LOG", "error").current_dir(folder);
    command
}

/// A command line of `loadout plugin` in `folder`, which finds code that other tests compiled. Its token is one that no
/// host knows.
pub fn plugin_command(folder: &Path, arguments: &[&str]) -> Result<Command, Failure> {
    let mut command = Command::new(path());
    command.arg("plugin").args(arguments).current_dir(folder);
    command.env("LOADOUT_TOKEN", "nobody's").env("XDG_DATA_HOME", data_home()?).env_remove("RUST_LOG");
    Ok(command)
}

/// How such a command ends and what it says, without the places in a guest: they depend on how that was compiled.
pub fn plugin(folder: &Path, arguments: &[&str]) -> Result<String, Failure> {
    let said = Ended::of(&mut plugin_command(folder, arguments)?)?.to_string();
    let said: Vec<&str> = said.lines().filter(|line| !line.trim_start().starts_with("function ")).collect();
    Ok(said.join("\n"))
}

/// A command that ended. Displays as its exit code and all that it said.
#[derive(Debug)]
pub struct Ended {
    /// Its exit code; -1 if a signal ended it.
    pub code: i32,
    /// Its standard output.
    pub out: String,
    /// Its standard error.
    pub error: String,
}

impl Ended {
    /// Runs `command` to its end.
    pub fn of(command: &mut Command) -> Result<Self, Failure> {
        let Output { status, stdout, stderr } = command.output()?;
        let [out, error] = [stdout, stderr].map(|text| String::from_utf8_lossy(&text).into_owned());
        Ok(Self { code: status.code().unwrap_or(-1), out, error })
    }

    /// The same, and a failure with all that it said unless it succeeds.
    pub fn well(command: &mut Command) -> Result<Self, Failure> {
        let ended = Self::of(command)?;
        if ended.code == 0 { Ok(ended) } else { Err(format!("{command:?} ended with {ended}").into()) }
    }
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.code, [&*self.out, &*self.error].concat().trim_end())
    }
}

/// A command of `loadout plugin` that goes on, and what it says until it waits. It ends with the test.
pub struct Going {
    process: Child,
    lines: BufReader<ChildStdout>,
}

impl Going {
    /// Starts it in `folder`.
    pub fn start(folder: &Path, arguments: &[&str]) -> Result<Self, Failure> {
        let mut process = plugin_command(folder, arguments)?.stdout(Stdio::piped()).spawn()?;
        let lines = BufReader::new(process.stdout.take().ok_or("no output")?);
        Ok(Self { process, lines })
    }

    /// What it says until it waits for the next change.
    pub fn round(&mut self) -> Result<String, Failure> {
        let mut said = Vec::new();
        loop {
            let mut line = String::new();
            if self.lines.read_line(&mut line)? == 0 || line.starts_with("watching") {
                return Ok(said.join("\n"));
            }
            said.push(line.trim_end().to_owned());
        }
    }

    /// Its next line.
    pub fn line(&mut self) -> Result<String, Failure> {
        let mut line = String::new();
        self.lines.read_line(&mut line)?;
        Ok(line.trim_end().to_owned())
    }

    /// Sends it a signal such as `-INT`, and gives its exit code.
    pub fn end(mut self, signal: &str) -> Result<Option<i32>, Failure> {
        signalled(&self.process, signal)?;
        Ok(self.process.wait()?.code())
    }
}

impl Drop for Going {
    fn drop(&mut self) {
        // A process that has ended needs no ending.
        let _ = (self.process.kill(), self.process.wait());
    }
}

/// Sends a process a signal such as `-TERM`.
pub fn signalled(process: &Child, signal: &str) -> Result<(), Failure> {
    Ended::well(Command::new("kill").args([signal, &process.id().to_string()])).map(drop)
}

/// A server with the sample over `folder`, in a process of its own. A long trial may take an optimised program.
pub fn server(folder: &Path) -> Result<ServerProcess, Failure> {
    let program = of_a_long_trial();
    let mut command = Command::new(&program);
    if program == path() {
        command.arg(SERVER).arg(folder);
    } else {
        command.args(["serve", "--listen", "127.0.0.1:0", "--sample", "contoso", "--data"]).arg(folder);
        command.env("LOADOUT_ADMIN_TOKEN", TOKEN).env("RUST_LOG", "error");
    }
    command.stderr(Stdio::null());
    ServerProcess::start(command)
}

/// The exit code of a command and its standard error.
pub fn outcome(output: &Output) -> String {
    let error = String::from_utf8_lossy(&output.stderr);
    format!("{} {}", output.status.code().unwrap_or(-1), error.trim_end())
}
