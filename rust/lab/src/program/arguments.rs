//! The command line of `pchat-lab`.

use std::path::PathBuf;

/// What the program is asked to do.
#[derive(Debug, PartialEq, Eq)]
pub enum Request {
    Serve(Serve),
    Scenarios,
    /// Send a line of JSON to a lab's control door.
    Control {
        address: String,
        line: String,
    },
    Help,
    Version,
}

/// How to serve.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Serve {
    /// File or name.
    pub scenario: String,
    pub root: Option<PathBuf>,
    pub ready_file: Option<PathBuf>,
    pub owner_pid: Option<u32>,
    pub until_stdin_closes: bool,
}

/// The text of `--help`.
pub const HELP: &str = "\
pchat-lab: simulated SQL Server instances, shares and a Persistent Chat pool on loopback

  pchat-lab serve --scenario FILE|NAME   starts a lab; prints one line of JSON when it is ready
      --root DIR               keeps all files there (a temporary folder otherwise, removed at the end)
      --ready-file FILE        writes the same line to FILE
      --owner-pid PID          stops when this process has ended
      --until-stdin-closes     stops when standard input ends
  pchat-lab scenarios                    lists the scenarios that come with it
  pchat-lab control ADDRESS JSON         sends a command to a running lab and prints the answer
";

/// Reads the arguments that follow the program's name.
///
/// # Errors
/// A sentence that says what does not fit.
pub fn parse(arguments: &[String]) -> Result<Request, String> {
    let (verb, rest) = match arguments.split_first() {
        None => return Ok(Request::Help),
        Some((verb, rest)) => (verb.as_str(), rest),
    };
    match (verb, rest) {
        ("serve", rest) => serve(rest).map(Request::Serve),
        ("scenarios", []) => Ok(Request::Scenarios),
        ("control", [address, line]) => Ok(Request::Control { address: address.clone(), line: line.clone() }),
        ("control", _) => Err("control takes an address and one JSON object".into()),
        ("help" | "--help" | "-h", _) => Ok(Request::Help),
        ("--version" | "-V", _) => Ok(Request::Version),
        (other, _) => Err(format!("{other} is not understood here")),
    }
}

fn serve(arguments: &[String]) -> Result<Serve, String> {
    let mut serve = Serve::default();
    let mut rest = arguments.iter();
    while let Some(option) = rest.next() {
        let mut value = || rest.next().cloned().ok_or_else(|| format!("{option} needs a value"));
        match option.as_str() {
            "--scenario" => serve.scenario = value()?,
            "--root" => serve.root = Some(value()?.into()),
            "--ready-file" => serve.ready_file = Some(value()?.into()),
            "--owner-pid" => {
                let text = value()?;
                serve.owner_pid = Some(text.parse().map_err(|_| format!("{text} is no process id"))?);
            }
            "--until-stdin-closes" => serve.until_stdin_closes = true,
            other => return Err(format!("serve does not know {other}")),
        }
    }
    if serve.scenario.is_empty() {
        return Err("serve needs --scenario FILE|NAME".into());
    }
    Ok(serve)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<Request, String> {
        parse(&text.split_whitespace().map(String::from).collect::<Vec<_>>())
    }

    #[test]
    fn every_option_of_serve() {
        let text = "serve --scenario small --root r --ready-file f --owner-pid 7 --until-stdin-closes";
        assert_eq!(
            parsed(text),
            Ok(Request::Serve(Serve {
                scenario: "small".into(),
                root: Some("r".into()),
                ready_file: Some("f".into()),
                owner_pid: Some(7),
                until_stdin_closes: true,
            }))
        );
    }

    #[test]
    fn what_does_not_fit_is_told() {
        for text in
            ["serve", "serve --scenario", "serve --scenario x --owner-pid y", "serve --fast", "control a", "dance"]
        {
            assert!(parsed(text).is_err(), "{text}");
        }
    }

    #[test]
    fn the_other_verbs() {
        assert_eq!(parsed("scenarios"), Ok(Request::Scenarios));
        assert_eq!(parsed(""), Ok(Request::Help));
        assert_eq!(parsed("control a {}"), Ok(Request::Control { address: "a".into(), line: "{}".into() }));
    }
}
