//! A lab, a journal folder and a session of the built library: the single commands, as a shell would call them.

use std::path::PathBuf;
use std::sync::OnceLock;

use pchat_tests::drive::{operate, Watcher};
use pchat_tests::lab::LabProcess;
use pchat_tests::library::Pchat;
use pchat_tests::request::{journal_place, login, path_map, session_settings};
use serde_json::{json, Value};
use tempfile::TempDir;

pub const BACKUP: &str = "B\\RTC";

/// An artifact: named by the environment, else where `cargo xtask module` builds it.
fn artifact(variable: &str, name: &str) -> PathBuf {
    let built = || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../target/drill").join(name);
    let path = std::env::var_os(variable).map_or_else(built, PathBuf::from);
    assert!(path.is_file(), "{} is not built: run `cargo xtask module` first, or `cargo xtask test`", path.display());
    path
}

fn library() -> &'static Pchat {
    static LIBRARY: OnceLock<Pchat> = OnceLock::new();
    LIBRARY.get_or_init(|| {
        let path = artifact("PCHAT_TEST_LIBRARY", if cfg!(windows) { "pchat.dll" } else { "libpchat.so" });
        Pchat::load(&path).expect("the library loads")
    })
}

/// One situation: a lab of its own, a journal of its own, one session.
pub struct Shell {
    pub lab: LabProcess,
    pub journal: TempDir,
    /// Where this machine opens the server's folders; null where it knows none.
    pub path_map: Value,
    /// What the request names beside the record: `log_backup_share`, `copy_folder`, further folders.
    pub folders: Value,
    session: u64,
}

/// How an operation ended, with all that it handed out.
pub struct Ended {
    pub items: Vec<Value>,
    pub messages: Vec<String>,
    pub questions: Vec<String>,
    /// The result document, or the error of a failure under `error`.
    pub document: Value,
}

struct Taker<'a> {
    items: Vec<Value>,
    messages: Vec<String>,
    questions: Vec<String>,
    answers_yes: bool,
    wants_cancel: &'a mut dyn FnMut() -> bool,
}

impl Watcher for Taker<'_> {
    fn item(&mut self, _kind: &str, item: &Value) {
        self.items.push(item.clone());
    }

    fn message(&mut self, level: &str, text: &str) {
        self.messages.push(format!("{level}: {text}"));
    }

    fn confirm(&mut self, question: &Value) -> bool {
        self.questions.push(question["text"].as_str().unwrap_or_default().to_string());
        self.answers_yes
    }

    fn wants_cancel(&mut self) -> bool {
        (self.wants_cancel)()
    }
}

impl Shell {
    /// Starts the lab with a scenario and opens a session.
    pub fn start(scenario: &str) -> Shell {
        let program = artifact("PCHAT_TEST_LAB", &format!("pchat-lab{}", std::env::consts::EXE_SUFFIX));
        let lab = LabProcess::start(&program, scenario).expect("the lab starts");
        let session = library().open(&session_settings(&lab.about)).expect("a session");
        let (user, secret) = login(&lab.about);
        library().add_login(session, None, &user, &secret).expect("a login");
        Shell {
            path_map: path_map(&lab.about),
            folders: json!({"log_backup_share": null, "copy_folder": null}),
            journal: TempDir::new().expect("a folder for the journal"),
            lab,
            session,
        }
    }

    /// From here on as another login of the lab.
    pub fn log_in_as(&self, user: &str) {
        let logins = self.lab.about["logins"].as_array().into_iter().flatten();
        let secret = logins.filter(|login| login["name"] == json!(user)).find_map(|login| login["password"].as_str());
        library().add_login(self.session, None, user, secret.expect("a login of the lab")).expect("a login");
    }

    fn folders(&self) -> Value {
        json!({
            "log_backup_share": self.folders["log_backup_share"],
            "copy_folder": self.folders["copy_folder"],
            "additional_log_backup_folders": self.folders["additional"].as_array().cloned().unwrap_or_default(),
            "path_map": self.path_map.as_array().cloned().unwrap_or_default(),
        })
    }

    fn request(&self, more: Value) -> Value {
        let mut request = json!({
            "version": 1,
            "target": {"sql_instance": BACKUP, "database": "mgc", "pool_fqdn": "pchat.contoso.com"},
        });
        if let (Value::Object(request), Value::Object(more)) = (&mut request, more) {
            request.extend(more);
        }
        request
    }

    /// The request of a command that changes something.
    pub fn change_request(&self, export: &str) -> Value {
        let journal = journal_place(&self.journal.path().display().to_string());
        let mut request = self.request(json!({"plan_only": true, "approved_digest": null}));
        match export {
            "pchat_connection_end" => request["limit_seconds"] = json!(60),
            "pchat_log_shipping_remove" => {
                request["journal"] = journal;
                request["journal"]["no_journal_copy"] = json!(true);
            }
            _ => {
                request["folders"] = self.folders();
                request["journal"] = journal;
            }
        }
        match export {
            "pchat_log_backup_copy" => {
                request["names"] = Value::Null;
                request["max_megabytes_per_second"] = Value::Null;
            }
            "pchat_database_recover" => {
                request["accept_data_loss"] = Value::Null;
                request["ignore_witness"] = json!([]);
                for name in ["primary_sql_instance", "primary_mirror_sql_instance", "monitor_sql_instance"] {
                    request[name] = Value::Null;
                }
            }
            _ => {}
        }
        request
    }

    /// Carries an operation out, to its end.
    pub fn operate(
        &self,
        export: &str,
        request: &Value,
        answers_yes: bool,
        wants_cancel: &mut dyn FnMut() -> bool,
    ) -> Ended {
        let mut taker =
            Taker { items: Vec::new(), messages: Vec::new(), questions: Vec::new(), answers_yes, wants_cancel };
        let control = self.lab.control_address();
        let ended = operate(library(), self.session, export, request, &control, &mut taker)
            .unwrap_or_else(|error| panic!("{export}: {error}"));
        let document = ended.map_or_else(|error| json!({"exit_code": error["exit_code"], "error": error}), |(_, d)| d);
        Ended { items: taker.items, messages: taker.messages, questions: taker.questions, document }
    }

    /// A command that reads one database.
    pub fn read(&self, export: &str) -> Ended {
        let journal = journal_place(&self.journal.path().display().to_string());
        let more = if export == "pchat_log_shipping_get" { json!({"journal": journal}) } else { json!({}) };
        self.operate(export, &self.request(more), true, &mut || false)
    }

    /// `Get-PChatLogBackup`.
    pub fn list(&self) -> Ended {
        let journal = journal_place(&self.journal.path().display().to_string());
        let request = self.request(json!({"folders": self.folders(), "journal": journal}));
        self.operate("pchat_log_backup_list", &request, true, &mut || false)
    }

    /// What a change would do. Nothing is changed on the lab by that.
    pub fn plan(&self, export: &str, request: &Value) -> Ended {
        let before = self.own_effects();
        let planned = self.operate(export, request, true, &mut || false);
        assert_eq!(self.own_effects(), before, "{export}: a plan changes nothing");
        planned
    }

    /// Carries out what a plan said.
    pub fn approve(&self, export: &str, mut request: Value, planned: &Ended, answers_yes: bool) -> Ended {
        request["plan_only"] = json!(false);
        request["approved_digest"] = planned.document["digest"].clone();
        self.operate(export, &request, answers_yes, &mut || false)
    }

    /// Plans and, where there is something to do, carries it out.
    pub fn change(&self, export: &str) -> Ended {
        self.change_as(export, self.change_request(export))
    }

    /// The same with a request of the test's own.
    pub fn change_as(&self, export: &str, request: Value) -> Ended {
        let planned = self.plan(export, &request);
        if planned.document["exit_code"] != json!(0) {
            return planned;
        }
        let done = self.approve(export, request, &planned, true);
        if done.document["exit_code"] == json!(0) {
            assert_eq!(done.statements(), planned.statements(), "{export}: what was shown is what ran");
        }
        done
    }

    pub fn ask(&self, command: &str) -> Value {
        self.lab.control(&json!({"command": command})).expect("the lab answers")
    }

    /// Switches a fault on.
    pub fn fault(&self, name: &str, args: Value) {
        self.lab
            .control(&json!({"command": "fault", "name": name, "on": true, "args": args}))
            .unwrap_or_else(|e| panic!("the fault {name}: {e}"));
    }

    /// Every change on the lab so far.
    pub fn effects(&self) -> Vec<Value> {
        self.ask("effects").as_array().cloned().unwrap_or_default()
    }

    /// Those without what a living pool does by itself.
    fn own_effects(&self) -> Vec<Value> {
        self.effects().into_iter().filter(|effect| effect["by"] != json!("compliance adapter")).collect()
    }

    /// The state of mgc on the backup, as the lab knows it.
    pub fn state(&self) -> String {
        self.ask("truth")["copies"][BACKUP]["state"].as_str().unwrap_or("absent").to_string()
    }

    /// The end of a test: the lab understood everything that was sent.
    pub fn assert_understood(&self) {
        assert_eq!(self.ask("unknown_statements"), json!([]));
    }
}

impl Ended {
    /// The code of the error inside, 0 where there is none.
    pub fn error_code(&self) -> u64 {
        self.document["error"]["code"].as_u64().unwrap_or(0)
    }

    pub fn message(&self) -> String {
        self.document["error"]["message"].as_str().unwrap_or_default().to_string()
    }

    pub fn text(&self) -> String {
        self.document["text"].as_str().unwrap_or_default().to_string()
    }

    #[track_caller]
    pub fn expect(&self, code: i32) -> &Ended {
        assert_eq!(self.document["exit_code"], json!(code), "{:#}\n{:?}", self.document, self.messages);
        self
    }

    /// The statements of the actions, in order.
    pub fn statements(&self) -> Vec<String> {
        self.items.iter().filter_map(|item| item["statement"].as_str().map(str::to_string)).collect()
    }

    /// How many rows have this status.
    pub fn count(&self, status: &str) -> usize {
        self.items.iter().filter(|item| item["status"] == json!(status)).count()
    }
}
