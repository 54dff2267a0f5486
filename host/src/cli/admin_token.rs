//! The admin token: from a file, from the environment, or made once and kept in the data folder.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::domain::hex::hexadecimal;
use crate::http::Token;
use crate::store::durable;

use super::failure::Failure;

/// The file in the data folder.
const FILE: &str = "admin.token";
/// The variable of the environment.
pub(super) const VARIABLE: &str = "LOADOUT_ADMIN_TOKEN";

/// A token and where it comes from, for the line that says so.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) token: Token,
    pub(super) place: String,
}

/// Returns the token in `file`, else the one in `variable`, else the one kept in `folder`, else a new one kept there.
pub(super) fn find(file: Option<&Path>, variable: Option<&str>, folder: &Path) -> Result<Found, Failure> {
    if let Some(file) = file {
        return Ok(Found { token: read(file)?, place: file.display().to_string() });
    }
    if let Some(text) = variable {
        let token = Token::new(text.trim()).map_err(|error| Failure::because(VARIABLE, error))?;
        return Ok(Found { token, place: format!("the variable {VARIABLE}") });
    }
    let file = folder.join(FILE);
    let token = match make(&file) {
        Ok(text) => Token::new(&text).map_err(Failure::of)?,
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => read(&file)?,
        Err(error) => return Err(Failure::because(format!("`{}` cannot be written", file.display()), error)),
    };
    Ok(Found { token, place: file.display().to_string() })
}

fn read(file: &Path) -> Result<Token, Failure> {
    let text = fs::read_to_string(file)
        .map_err(|error| Failure::because(format!("the token file `{}` cannot be read", file.display()), error))?;
    Token::new(text.trim()).map_err(|error| Failure::because(format!("the token file `{}`", file.display()), error))
}

/// Makes a token and writes it to `file`, which only its owner can read. Fails with `AlreadyExists` if the file is
/// there.
fn make(file: &PathBuf) -> io::Result<String> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(io::Error::other)?;
    let text = hexadecimal(&bytes);
    let folder = file.parent().unwrap_or(Path::new("."));
    durable::make_folder(folder)?;
    // Whole under another name first, so that a process that dies here leaves no half token behind.
    let draft = file.with_extension(format!("{}.draft", std::process::id()));
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut written = options.open(&draft)?;
    written.write_all(text.as_bytes())?;
    written.sync_all()?;
    let linked = fs::hard_link(&draft, file);
    fs::remove_file(&draft)?;
    linked?;
    durable::sync_folder(folder)?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_token_counts() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("mine");
        fs::write(&file, "from-the-file-0123456789\n").unwrap();
        let place = |file: Option<&Path>, variable| {
            find(file, variable, folder.path()).map(|found| found.place).map_err(|failure| failure.to_string())
        };
        let variable = Some("from-the-variable-0123456789");
        assert_eq!(place(Some(&file), variable).unwrap(), file.display().to_string());
        assert_eq!(place(None, variable).unwrap(), "the variable LOADOUT_ADMIN_TOKEN");
        assert!(!folder.path().join(FILE).exists(), "no token is made while one is given");
        assert!(place(None, Some("short")).unwrap_err().starts_with("LOADOUT_ADMIN_TOKEN: a token has"));
        assert!(place(Some(Path::new("/nowhere/token")), None).unwrap_err().contains("cannot be read"));
    }

    #[test]
    fn a_token_is_made_once_and_kept_from_others() {
        let folder = tempfile::tempdir().unwrap();
        find(None, None, folder.path()).unwrap();
        let file = folder.path().join(FILE);
        let text = fs::read_to_string(&file).unwrap();
        assert_eq!(text.len(), 64);
        find(None, None, folder.path()).unwrap();
        assert_eq!(fs::read_to_string(&file).unwrap(), text, "a second start keeps the token");
        #[cfg(unix)]
        assert_eq!(std::os::unix::fs::PermissionsExt::mode(&fs::metadata(&file).unwrap().permissions()) & 0o777, 0o600);
    }
}
