//! Help for the shell: `docs/commands/*.md` become `en-US/PersistentChatFailover.dll-Help.xml`, `docs/about/*.md` the
//! about topics. Both are committed; the test part `header` compares them with their pages.

use std::fmt::Write as _;
use std::path::PathBuf;

use crate::process::{files, root, told, Result, Stop};

/// One page, read.
#[derive(Default)]
struct Page {
    name: String,
    synopsis: String,
    description: Vec<String>,
    syntax: Vec<String>,
    parameters: Vec<Parameter>,
    inputs: Vec<String>,
    outputs: Vec<String>,
    notes: Vec<String>,
    examples: Vec<Example>,
    related: Vec<String>,
}

#[derive(Default)]
struct Parameter {
    name: String,
    kind: String,
    required: bool,
    position: String,
    pipeline: String,
    default: String,
    text: Vec<String>,
}

#[derive(Default)]
struct Example {
    title: String,
    code: String,
    text: Vec<String>,
}

/// Writes the help files, or compares the committed ones with their pages.
pub fn run(write: bool) -> Result {
    let mut wanted = vec![(root().join("en-US/PersistentChatFailover.dll-Help.xml"), commands()?)];
    for page in files(&root().join("docs/about"), "md") {
        let stem = page.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        wanted.push((root().join(format!("en-US/{stem}.help.txt")), about(&text_of(&page)?)));
    }
    for (path, text) in wanted {
        if write {
            std::fs::create_dir_all(root().join("en-US"))
                .map_err(|source| Stop::File { path: "en-US".to_string(), source })?;
            std::fs::write(&path, text).map_err(|source| Stop::File { path: path.display().to_string(), source })?;
        } else if std::fs::read_to_string(&path).unwrap_or_default().replace("\r\n", "\n") != text {
            return told(format!(
                "{} differs from its page; run `cargo xtask help --write` and commit it",
                path.display()
            ));
        }
    }
    println!("help: en-US agrees with docs/commands and docs/about");
    Ok(())
}

fn text_of(path: &PathBuf) -> Result<String> {
    let text =
        std::fs::read_to_string(path).map_err(|source| Stop::File { path: path.display().to_string(), source })?;
    Ok(text.replace("\r\n", "\n"))
}

fn commands() -> Result<String> {
    let mut out =
        String::from("<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<helpItems schema=\"maml\" xmlns=\"http://msh\">\n");
    for path in files(&root().join("docs/commands"), "md") {
        out.push_str(&maml(&page(&text_of(&path)?, &path.display().to_string())?));
    }
    out.push_str("</helpItems>\n");
    Ok(out)
}

/// An about topic: the page's text with its headings in capitals and indented paragraphs, as the shell shows them.
fn about(text: &str) -> String {
    let mut out = String::new();
    for line in text.lines() {
        match line.strip_prefix("# ").or_else(|| line.strip_prefix("## ")) {
            Some(title) => {
                let _ = writeln!(out, "{}", title.to_uppercase());
            }
            None if line.is_empty() => out.push('\n'),
            None => {
                let _ = writeln!(out, "    {line}");
            }
        }
    }
    out
}

/// Reads a page: title, synopsis, and the sections Description, Syntax, Parameters, Inputs, Outputs, Notes, Examples,
/// Related.
fn page(text: &str, path: &str) -> Result<Page> {
    let mut page = Page::default();
    let mut section = String::new();
    let mut code: Option<String> = None;
    for line in text.lines() {
        if let Some(open) = code.as_mut() {
            if line.starts_with("```") {
                let done = code.take().unwrap_or_default();
                match section.as_str() {
                    "Syntax" => page.syntax.extend(done.lines().map(str::to_string)),
                    "Examples" => {
                        if let Some(example) = page.examples.last_mut() {
                            example.code = done.trim_end().to_string();
                        }
                    }
                    _ => {}
                }
            } else {
                open.push_str(line);
                open.push('\n');
            }
        } else if line.starts_with("```") {
            code = Some(String::new());
        } else if let Some(name) = line.strip_prefix("# ") {
            page.name = name.to_string();
        } else if let Some(name) = line.strip_prefix("## ") {
            section = name.to_string();
        } else if let Some(title) = line.strip_prefix("### ") {
            match section.as_str() {
                "Parameters" => page.parameters.push(parameter(title, path)?),
                "Examples" => page.examples.push(Example { title: title.to_string(), ..Example::default() }),
                _ => return told(format!("{path}: a heading `{title}` in the section `{section}`")),
            }
        } else {
            place(&mut page, &section, line);
        }
    }
    if page.name.is_empty() || page.synopsis.is_empty() || page.syntax.is_empty() || page.examples.is_empty() {
        return told(format!("{path} lacks its title, synopsis, syntax or examples"));
    }
    Ok(page)
}

/// A line of text into its section; blank lines part paragraphs.
fn place(page: &mut Page, section: &str, line: &str) {
    let paragraphs = match section {
        "" => {
            if !line.is_empty() {
                page.synopsis = format!("{} {line}", page.synopsis).trim().to_string();
            }
            return;
        }
        "Description" => &mut page.description,
        "Inputs" => &mut page.inputs,
        "Outputs" => &mut page.outputs,
        "Notes" => &mut page.notes,
        "Related" => &mut page.related,
        "Parameters" => match page.parameters.last_mut() {
            Some(parameter)
                if parameter.text.is_empty() && (line.starts_with("Required") || line.starts_with("Optional")) =>
            {
                facts(parameter, line);
                return;
            }
            Some(parameter) => &mut parameter.text,
            None => return,
        },
        "Examples" => match page.examples.last_mut() {
            Some(example) => &mut example.text,
            None => return,
        },
        _ => return,
    };
    match (line.is_empty(), paragraphs.last_mut()) {
        (true, Some(last)) if !last.is_empty() => paragraphs.push(String::new()),
        (true, _) => {}
        (false, Some(last)) if line.starts_with("- ") && !last.is_empty() => {
            let _ = last;
            paragraphs.push(line.to_string());
        }
        (false, Some(last)) => *last = format!("{last} {line}").trim().to_string(),
        (false, None) => paragraphs.push(line.to_string()),
    }
}

/// `-SqlInstance <String[]>`.
fn parameter(title: &str, path: &str) -> Result<Parameter> {
    let Some((name, kind)) = title.strip_prefix('-').and_then(|rest| rest.split_once(" <")) else {
        return told(format!("{path}: `{title}` is not `-Name <Type>`"));
    };
    Ok(Parameter { name: name.to_string(), kind: kind.trim_end_matches('>').to_string(), ..Parameter::default() })
}

/// `Required, position 0, pipeline by value and by property name. Default: mgc.`
fn facts(parameter: &mut Parameter, line: &str) {
    let (facts, default) = line.split_once(" Default: ").unwrap_or((line, "none"));
    parameter.required = facts.starts_with("Required");
    let position = facts.split("position ").nth(1).and_then(|rest| rest.split([',', '.']).next());
    parameter.position = position.unwrap_or("named").trim().to_string();
    let value = facts.contains("by value");
    let name = facts.contains("by property name");
    parameter.pipeline = match (value, name) {
        (true, true) => "True (ByValue, ByPropertyName)",
        (true, false) => "True (ByValue)",
        (false, true) => "True (ByPropertyName)",
        (false, false) => "False",
    }
    .to_string();
    parameter.default = default.trim_end_matches('.').to_string();
}

fn maml(page: &Page) -> String {
    let mut out = String::new();
    let (verb, noun) = page.name.split_once('-').unwrap_or((page.name.as_str(), ""));
    out.push_str(
        "<command:command xmlns:maml=\"http://schemas.microsoft.com/maml/2004/10\" \
         xmlns:command=\"http://schemas.microsoft.com/maml/dev/command/2004/10\" \
         xmlns:dev=\"http://schemas.microsoft.com/maml/dev/2004/10\">\n",
    );
    let _ = writeln!(
        out,
        "<command:details><command:name>{}</command:name><command:verb>{}</command:verb><command:noun>{}</command:noun>\
         <maml:description><maml:para>{}</maml:para></maml:description></command:details>",
        escaped(&page.name),
        escaped(verb),
        escaped(noun),
        escaped(&page.synopsis)
    );
    let _ = writeln!(out, "<maml:description>{}</maml:description>", paragraphs(&page.description));
    out.push_str("<command:syntax>\n");
    for line in &page.syntax {
        out.push_str(&syntax_item(page, line));
    }
    out.push_str("</command:syntax>\n<command:parameters>\n");
    for parameter in &page.parameters {
        out.push_str(&parameter_xml(parameter, parameter.required, true));
    }
    out.push_str("</command:parameters>\n");
    out.push_str(&types(&page.inputs, "command:inputTypes", "command:inputType"));
    out.push_str(&types(&page.outputs, "command:returnValues", "command:returnValue"));
    let _ = writeln!(out, "<maml:alertSet><maml:alert>{}</maml:alert></maml:alertSet>", paragraphs(&page.notes));
    out.push_str("<command:examples>\n");
    for example in &page.examples {
        let _ = writeln!(
            out,
            "<command:example><maml:title>{}</maml:title><dev:code>{}</dev:code><dev:remarks>{}</dev:remarks></command:example>",
            escaped(&example.title),
            escaped(&example.code),
            paragraphs(&example.text)
        );
    }
    out.push_str("</command:examples>\n<command:relatedLinks>\n");
    for link in page.related.iter().flat_map(|line| line.split(", ")) {
        let _ = writeln!(
            out,
            "<maml:navigationLink><maml:linkText>{}</maml:linkText><maml:uri></maml:uri></maml:navigationLink>",
            escaped(link.trim_start_matches("- ").trim_end_matches('.'))
        );
    }
    out.push_str("</command:relatedLinks>\n</command:command>\n");
    out
}

/// One parameter set: the parameters that the syntax line names, required where it does not put them in brackets.
fn syntax_item(page: &Page, line: &str) -> String {
    let mut out = format!("<command:syntaxItem><maml:name>{}</maml:name>", escaped(&page.name));
    for parameter in &page.parameters {
        let dash = format!("-{}", parameter.name);
        let at = word_at(line, &dash);
        if let Some(at) = at {
            out.push_str(&parameter_xml(parameter, is_required(line, at, &dash), false));
        }
    }
    out.push_str("</command:syntaxItem>\n");
    out
}

/// Where a word stands in a syntax line.
fn word_at(line: &str, word: &str) -> Option<usize> {
    line.match_indices(word).map(|(at, _)| at).find(|at| {
        let after = line[at + word.len()..].chars().next();
        !after.is_some_and(|c| c.is_alphanumeric())
    })
}

/// `-Name <T>` and `[-Name] <T>` are required; `[-Name <T>]`, `[[-Name] <T>]` and `[-Name]` are not.
fn is_required(line: &str, at: usize, word: &str) -> bool {
    let before = &line[..at];
    let after = &line[at + word.len()..];
    if !before.ends_with('[') {
        return true;
    }
    after.starts_with("] <") && !before.ends_with("[[")
}

fn parameter_xml(parameter: &Parameter, required: bool, full: bool) -> String {
    let is_switch = parameter.kind == "SwitchParameter";
    let mut out = format!(
        "<command:parameter required=\"{required}\" variableLength=\"false\" globbing=\"false\" pipelineInput=\"{}\" position=\"{}\">\
         <maml:name>{}</maml:name>",
        escaped(&parameter.pipeline),
        escaped(&parameter.position),
        escaped(&parameter.name)
    );
    if full {
        let _ = write!(out, "<maml:description>{}</maml:description>", paragraphs(&parameter.text));
    }
    if !is_switch || full {
        let _ = write!(
            out,
            "<command:parameterValue required=\"{}\">{}</command:parameterValue>",
            !is_switch,
            escaped(&parameter.kind)
        );
    }
    let _ = writeln!(
        out,
        "<dev:type><maml:name>{}</maml:name></dev:type><dev:defaultValue>{}</dev:defaultValue></command:parameter>",
        escaped(&parameter.kind),
        escaped(&parameter.default)
    );
    out
}

fn types(lines: &[String], outer: &str, inner: &str) -> String {
    let mut out = format!("<{outer}>");
    for line in lines.iter().filter(|line| !line.is_empty()) {
        let (name, text) = line.trim_start_matches("- ").split_once(": ").unwrap_or((line.as_str(), ""));
        let _ = write!(
            out,
            "<{inner}><dev:type><maml:name>{}</maml:name></dev:type><maml:description><maml:para>{}</maml:para></maml:description></{inner}>",
            escaped(name),
            escaped(text)
        );
    }
    let _ = writeln!(out, "</{outer}>");
    out
}

fn paragraphs(lines: &[String]) -> String {
    lines
        .iter()
        .filter(|line| !line.is_empty())
        .map(|line| format!("<maml:para>{}</maml:para>", escaped(line)))
        .collect()
}

/// XML text, with the Markdown of code taken off.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;").replace('`', "")
}
