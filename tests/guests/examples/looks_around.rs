//! Looks at its environment, its arguments, its folder and its standard input.

use std::io::Read;

use loadout_test_guests::{rule, shown};

rule!(|_| {
    let (variables, arguments) = (std::env::vars_os().count(), std::env::args_os().count());
    let folder = std::env::current_dir().map(|folder| folder.display().to_string()).unwrap_or_default();
    let mut input = String::new();
    let read = std::io::stdin().read_to_string(&mut input).is_ok();
    shown(format!(
        r#"{{"variables":{variables},"arguments":{arguments},"folder":{folder:?},"stdin":[{read},{input:?}]}}"#
    ))
});
