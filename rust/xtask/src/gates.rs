//! Compatibility gates: what the assembly and the scripts use exists on the oldest hosts. Each gate is first shown a
//! planted fault, and fails where it lets that pass.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::managed;
use crate::process::{command, found, root, run as run_command, run_quietly, target, told, Result, Stop};

/// Members by type: what PowerShell 3.0 to 5.1 and .NET Framework 4.5 have.
type Known = BTreeMap<String, BTreeSet<String>>;

/// The part: members of the assembly, then the analyzer's rules over what is a script.
pub fn test() -> Result {
    members()?;
    analyzer()
}

fn members() -> Result {
    if cfg!(windows) && (found("mono").is_none() || found("mcs").is_none()) {
        println!("members: not compared, mono and mcs are not on PATH");
        return Ok(());
    }
    managed::build()?;
    let folder = target().join("gates");
    // In folders of their own: an engine beside the lister would be taken for the one that an assembly asks for.
    let lister = folder.join("lister/Members.exe");
    managed::compile(&lister, &[root().join("tests/gates/Members.cs")], &[], &["-target:exe".to_string()])?;
    let known = known(&read(&root().join("tests/gates/members.txt"))?);

    let planted = planted(&folder)?;
    let faults = missing(&references(&lister, &planted)?, &known);
    for wanted in ["System.Array Empty()", "System.String Split(System.Char", "ArgumentCompleterAttribute"] {
        if !faults.iter().any(|fault| fault.contains(wanted)) {
            return told(format!("the planted use of {wanted} passed the gate for members; it refused {faults:?}"));
        }
    }
    println!("members: planted uses of newer members are refused");

    let checked = folder.join("checked");
    let assembly = checked.join("PersistentChatFailover.dll");
    crate::process::copy(&root().join("module/PersistentChatFailover.dll"), &assembly)?;
    managed::compile_reference()?;
    crate::process::copy(&managed::reference(), &checked.join("System.Management.Automation.dll"))?;
    let used = references(&lister, &assembly)?;
    let faults = missing(&used, &known);
    if faults.is_empty() && used.len() > 100 {
        println!("members: all {} that the assembly refers to are in PowerShell 3.0 to 5.1 and .NET 4.5", used.len());
        return Ok(());
    }
    told(format!("the assembly uses what the oldest hosts lack ({} seen): {}", used.len(), faults.join("; ")))
}

/// An assembly with members that .NET 4.5 and PowerShell 3.0 do not have, against an engine of its own.
fn planted(folder: &Path) -> Result<PathBuf> {
    let place = folder.join("planted");
    let engine = place.join("System.Management.Automation.dll");
    let library = ["-target:library".to_string()];
    managed::compile(&engine, &[root().join("tests/gates/planted_engine.cs")], &[], &library)?;
    let out = place.join("planted.dll");
    managed::compile(&out, &[root().join("tests/gates/planted_members.cs")], &[engine], &library)?;
    Ok(out)
}

/// What an assembly refers to, a line each.
fn references(lister: &Path, assembly: &Path) -> Result<Vec<String>> {
    let text = run_quietly(command(managed::mono()?).arg(lister).arg(assembly))?;
    Ok(text.lines().map(str::to_string).collect())
}

fn read(path: &Path) -> Result<String> {
    std::fs::read_to_string(path).map_err(|source| Stop::File { path: path.display().to_string(), source })
}

/// The list as it is kept: a type a line, then its members.
fn known(list: &str) -> Known {
    list.lines()
        .filter_map(|line| {
            let mut words = line.split(' ').map(str::to_string);
            Some((words.next()?, words.collect()))
        })
        .collect()
}

/// The references that the list does not have.
fn missing(used: &[String], known: &Known) -> Vec<String> {
    used.iter()
        .filter(|line| match line.split_once(' ') {
            Some(("type", name)) => !known.contains_key(name),
            Some((_, rest)) => {
                let (name, member) = rest.split_once(' ').unwrap_or((rest, ""));
                !known.get(name).is_some_and(|members| has(members, member))
            }
            None => true,
        })
        .cloned()
        .collect()
}

/// True where the list has the member: as it is, with its parameters left open, or as the setter of a property, whose
/// value the documentation does not name.
fn has(members: &BTreeSet<String>, member: &str) -> bool {
    let name = member.split('(').next().unwrap_or_default();
    if members.contains(member) || members.contains(&format!("{name}(?)")) {
        return true;
    }
    let Some(arguments) = member.strip_prefix(name).and_then(|m| m.strip_prefix('(')?.strip_suffix(')')) else {
        return false;
    };
    let index = arguments.rsplit_once(',').map(|(index, _)| format!("{index},")).unwrap_or_default();
    name.starts_with("set_") && members.contains(&format!("{name}({index}?)"))
}

/// The analyzer's rules for syntax and commands, over every script that ships and the scripts inside the format file.
fn analyzer() -> Result {
    let Some(shell) = found("pwsh").or_else(|| found("powershell")) else {
        println!("analyzer: not run, there is no PowerShell on PATH");
        return Ok(());
    };
    run_command(
        command(shell)
            .args(["-NoLogo", "-NoProfile", "-NonInteractive", "-File"])
            .arg(root().join("tests/gates/Invoke-Analyzer.ps1"))
            .env("NO_COLOR", "1"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_is_known_by_signature_by_name_or_as_a_setter() {
        let known = known(
            "System.String Split(System.Char[]) get_Length()\nEngine.PSCmdlet WriteObject(?)\n\
             System.Text.Box set_Item(System.Int32,?) set_Name(?)",
        );
        let used = |line: &str| missing(&[line.to_string()], &known).is_empty();
        assert!(used("type System.String"));
        assert!(used("member System.String Split(System.Char[])"));
        assert!(used("member Engine.PSCmdlet WriteObject(System.Object,System.Boolean)"));
        assert!(used("member System.Text.Box set_Item(System.Int32,System.String)"));
        assert!(used("member System.Text.Box set_Name(System.String)"));
        for fault in [
            "type System.Span`1",
            "member System.String Split(System.Char,System.StringSplitOptions)",
            "member System.String set_Length(System.Int32)",
            "member System.Text.Box set_Item(System.String,System.String)",
            "member Engine.PSCmdlet WriteInformation(System.Object)",
            "nonsense",
        ] {
            assert!(!used(fault), "{fault}");
        }
    }
}
