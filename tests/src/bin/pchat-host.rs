//! A host without PowerShell: carries out one operation of the library on a running lab and prints what happens.
//!
//! `pchat-host --library FILE --lab HOST:PORT --journal FOLDER VERB [--baseline FOLDER]
//! [--set POINTER=JSON]...`; a verb is one of failover, switch, failback, conference, plan, plan-switch, plan-failback,
//! plan-conference, baseline, check, resume, undo; or `command --export NAME --request JSON` for a single command
//!
//! The exit code is the run's own, as in the shell.

use std::path::PathBuf;
use std::process::ExitCode;

use pchat_tests::drive::{operate, Watcher};
use pchat_tests::lab::control;
use pchat_tests::library::Pchat;
use pchat_tests::request::{
    baseline_request, conference_request, failback_request, failover_request, journal_place, login, path_map,
    planned_switch_request, session_settings,
};
use serde_json::{json, Value};

fn main() -> ExitCode {
    match carried_out() {
        Ok(code) => ExitCode::from(code),
        Err(why) => {
            eprintln!("{why}");
            ExitCode::from(1)
        }
    }
}

struct Options {
    library: PathBuf,
    lab: String,
    journal: String,
    baseline: String,
    verb: String,
    export: String,
    request: Value,
    set: Vec<(String, Value)>,
    json: bool,
}

fn options() -> Result<Options, String> {
    let mut found = Options {
        library: PathBuf::new(),
        lab: String::new(),
        journal: String::new(),
        baseline: String::new(),
        verb: String::new(),
        export: String::new(),
        request: Value::Null,
        set: Vec::new(),
        json: false,
    };
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().ok_or_else(|| format!("{argument} wants a value"));
        match argument.as_str() {
            "--library" => found.library = value()?.into(),
            "--lab" => found.lab = value()?,
            "--journal" => found.journal = value()?,
            "--baseline" => found.baseline = value()?,
            "--json" => found.json = true,
            "--export" => found.export = value()?,
            "--request" => found.request = serde_json::from_str(&value()?).map_err(|e| e.to_string())?,
            "--set" => {
                let text = value()?;
                let (at, json) = text.split_once('=').ok_or("--set wants POINTER=JSON")?;
                found.set.push((at.to_string(), serde_json::from_str(json).map_err(|e| e.to_string())?));
            }
            verb => found.verb = verb.to_string(),
        }
    }
    Ok(found)
}

/// Prints steps and lines as they come.
struct Printer {
    quiet: bool,
    /// Progress as a bar, where the work is mostly waiting.
    bar: bool,
    /// The baseline that was saved, which is the document of that verb.
    baseline: Option<Value>,
    /// The file of the backup that was taken.
    backup_file: Value,
}

impl Watcher for Printer {
    fn item(&mut self, kind: &str, item: &Value) {
        if kind == "baseline" {
            self.baseline = Some(item.clone());
        }
        if kind == "backup" {
            self.backup_file = item["backup_file"].clone();
        }
        if self.quiet {
            return;
        }
        let text = |name: &str| item[name].as_str().unwrap_or_default().to_string();
        match kind {
            "step" => println!(
                "  {:>2}. {:<42} {:<11} {:>7} ms  {}",
                item["number"],
                text("title"),
                text("state"),
                item["milliseconds"],
                text("text")
            ),
            "check" => println!("  {:<8} {:<24} {}", text("state"), text("name"), text("value")),
            "backup_service_module" => println!(
                "      {:<18} {:<24} {:<8} {}",
                text("status_pool_fqdn"),
                text("backup_module"),
                text("state"),
                text("text")
            ),
            "action" => println!("  {:<8} {:<20} {}", text("state"), text("action"), text("text")),
            _ => println!("  {kind}: {item}"),
        }
    }

    fn message(&mut self, level: &str, text: &str) {
        if !self.quiet && level == "warning" {
            println!("  warning: {text}");
        }
    }

    fn progress(&mut self, progress: &Value) {
        if self.quiet || !self.bar {
            return;
        }
        let percent = progress["percent"].as_u64().unwrap_or(0).min(100) as usize;
        let (status, shown) = (&progress["status"], &progress["operation"]);
        println!(
            "      [{}{}] {percent:>3} %  {}  {}",
            "#".repeat(percent / 5),
            ".".repeat(20 - percent / 5),
            status.as_str().unwrap_or_default(),
            shown.as_str().unwrap_or_default()
        );
    }
}

fn carried_out() -> Result<u8, Box<dyn std::error::Error>> {
    let options = options()?;
    let about = control(&options.lab, &json!({"command": "describe"}))?;
    let pchat = Pchat::load(&options.library)?;
    let session = pchat.open(&session_settings(&about))?;
    let (user, secret) = login(&about);
    pchat.add_login(session, None, &user, &secret)?;
    let mut printer =
        Printer { quiet: options.json, bar: options.verb == "conference", baseline: None, backup_file: Value::Null };

    let journal = journal_place(&options.journal);
    let mut request = match options.verb.as_str() {
        "resume" | "undo" => json!({"version": 1, "journal": journal, "run_id": null, "path_map": path_map(&about),
                                    "plan_only": false, "accept_data_loss": null,
                                    "active_servers": null}),
        "switch" | "plan-switch" => planned_switch_request(&about, journal),
        "conference" | "plan-conference" => conference_request(&about, journal),
        "baseline" => baseline_request(&options.baseline),
        "command" => single(&options.request, journal),
        "failback" | "plan-failback" => failback_request(&about, journal, &options.baseline),
        _ => failover_request(&about, journal),
    };
    for (pointer, value) in &options.set {
        *request.pointer_mut(pointer).ok_or_else(|| format!("the request has no {pointer}"))? = value.clone();
    }
    let ended = match options.verb.as_str() {
        "baseline" => operate(&pchat, session, "pchat_baseline_save", &request, &options.lab, &mut printer)?,
        "command" => operate(&pchat, session, &options.export, &request, &options.lab, &mut printer)?,
        "resume" => operate(&pchat, session, "pchat_run_resume", &request, &options.lab, &mut printer)?,
        "undo" => operate(&pchat, session, "pchat_run_undo", &request, &options.lab, &mut printer)?,
        "check" => operate(&pchat, session, "pchat_failover_check", &request, &options.lab, &mut printer)?,
        verb @ ("plan" | "failover" | "plan-switch" | "switch" | "plan-failback" | "failback" | "plan-conference"
        | "conference") => {
            let export = match verb {
                "plan-switch" | "switch" => "pchat_planned_switch_plan",
                "plan-failback" | "failback" => "pchat_failback_plan",
                "plan-conference" | "conference" => "pchat_conference_plan",
                _ => "pchat_failover_plan",
            };
            let planned = operate(&pchat, session, export, &request, &options.lab, &mut printer)?;
            match planned {
                Ok((_, plan)) if !verb.starts_with("plan") => {
                    if !options.json {
                        show_plan(&plan);
                    }
                    let start = json!({"version": 1, "plan": plan});
                    operate(&pchat, session, "pchat_run_start", &start, &options.lab, &mut printer)?
                }
                other => other,
            }
        }
        other => return Err(format!("unknown verb `{other}`").into()),
    };
    pchat.on_handle("pchat_session_close", session)?;
    let (code, document) = match ended {
        Ok((_, document)) => (document["exit_code"].as_u64().unwrap_or(0), printer.baseline.take().unwrap_or(document)),
        Err(error) => (error["exit_code"].as_u64().unwrap_or(1), json!({"error": error})),
    };
    let mut document = document;
    if !printer.backup_file.is_null() {
        document["backup_file"] = printer.backup_file.take();
    }
    if options.json {
        println!("{document}");
    } else if document["kind"] == "failover" && document.get("steps").is_some() && document.get("outcome").is_none() {
        show_plan(&document);
    } else {
        show_result(&document);
    }
    Ok(u8::try_from(code).unwrap_or(1))
}

/// The request of a single command, as far as all of them have the same members.
fn single(request: &Value, journal: Value) -> Value {
    let mut whole = json!({"version": 1, "journal": journal, "plan_only": false, "approved_digest": null});
    if let (Value::Object(whole), Value::Object(request)) = (&mut whole, request) {
        whole.extend(request.clone());
    }
    whole
}

fn show_plan(plan: &Value) {
    for check in plan["checks"].as_array().into_iter().flatten() {
        if check["state"] != "passed" {
            println!(
                "  {}: {} is {}; {}",
                check["state"].as_str().unwrap_or_default(),
                check["name"],
                check["value"],
                check["message"]
            );
        }
    }
    println!(
        "  Plan {}: {} steps. {}",
        plan["plan_id"],
        plan["steps"].as_array().map_or(0, Vec::len),
        plan["loss"]["text"].as_str().unwrap_or_default()
    );
}

fn show_result(result: &Value) {
    println!(
        "  Outcome: {}. {}",
        result["outcome"].as_str().unwrap_or("failed"),
        result["text"].as_str().unwrap_or_default()
    );
    if let Some(message) = result["error"]["message"].as_str() {
        println!("  {message}");
    }
    if let Some(loss) = result["loss"]["text"].as_str() {
        println!("  Loss: {loss}");
    }
    for (number, action) in result["next_actions"].as_array().into_iter().flatten().enumerate() {
        println!("  Next {}: {}", number + 1, action.as_str().unwrap_or_default());
    }
}
