//! What holds, for a program with every shape of option that ours have.

use std::fs;
use std::path::Path;

use clap::{ArgGroup, CommandFactory};
use tempfile::TempDir;

use super::*;
use crate::quantity::Rate;

#[derive(Parser, Debug)]
#[command(name = "xbsend", group = ArgGroup::new("decoding").args(["decompress", "decrypt"]).multiple(true))]
struct Program {
    #[arg(value_name = "HOST:PORT")]
    to: String,
    #[arg(last = true)]
    command: Vec<OsString>,
    #[arg(short, long)]
    input: Vec<PathBuf>,
    #[arg(long, conflicts_with_all = ["command", "input"])]
    tool: Option<OsString>,
    #[arg(long, num_args = 1.., allow_hyphen_values = true)]
    tool_args: Vec<OsString>,
    #[arg(long, value_parser = ["backup", "xbstream"], requires = "input", conflicts_with = "wait")]
    expect: Option<String>,
    #[arg(short = 'L', long)]
    rate_limit: Option<Rate>,
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "auto")]
    compress: Option<String>,
    #[arg(long, default_value = "30s")]
    wait: String,
    #[arg(long)]
    decompress: bool,
    #[arg(long, value_name = "ALGO")]
    decrypt: Option<String>,
    #[arg(long, requires = "decoding")]
    unpacked_limit: Option<u64>,
    #[arg(long, value_name = "FILE", requires = "decrypt")]
    encrypt_key_file: Option<PathBuf>,
    #[arg(long, value_name = "FILE", requires = "ssl_key")]
    ssl_cert: Option<PathBuf>,
    #[arg(long, value_name = "FILE")]
    ssl_key: Option<PathBuf>,
    #[arg(long, value_name = "FILE")]
    ssl_ca: Option<PathBuf>,
    #[arg(long, value_name = "HOST", conflicts_with = "ssl_ca")]
    ssh: Option<String>,
    #[arg(long, conflicts_with = "ssl_ca")]
    any_peer: bool,
    #[arg(long, value_name = "FILE", conflicts_with = "ssl_ca")]
    from: Option<PathBuf>,
    #[arg(short = '4', long, conflicts_with = "ipv6")]
    ipv4: bool,
    #[arg(short = '6', long)]
    ipv6: bool,
    #[arg(short, long)]
    verbose: bool,
    #[arg(long)]
    key_file: Option<PathBuf>,
    #[command(flatten)]
    settings: SettingsArgs,
}

/// A process to be: what is typed, its environment, its files.
struct Process {
    folder: TempDir,
    line: Vec<OsString>,
    environment: Environment,
}

impl Process {
    fn new(line: &[&str]) -> Process {
        let line = ["xbsend"].iter().chain(line).map(OsString::from).collect();
        Process { folder: tempfile::tempdir().expect("a folder"), line, environment: Environment::new() }
    }

    fn variable(mut self, name: &str, value: &str) -> Process {
        self.environment.insert(name.into(), value.into());
        self
    }

    /// The system's file.
    fn system(self, text: &str) -> Process {
        self.file("system.conf", text)
    }

    fn file(self, name: &str, text: &str) -> Process {
        fs::write(self.path(name), text).expect("written");
        self
    }

    /// A MySQL option file.
    fn defaults(mut self, text: &str) -> Process {
        self.line.insert(1, format!("--defaults-file={}", self.path("my.cnf").display()).into());
        self.file("my.cnf", text)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn settle(&self) -> Result<Outcome<Program>, String> {
        let surroundings =
            Surroundings { environment: self.environment.clone(), system_file: self.path("system.conf") };
        let folder = format!("{}/", self.folder.path().display());
        settle(self.line.clone(), &surroundings).map_err(|error| error.to_string().replace(&folder, ""))
    }

    fn args(&self) -> Program {
        match self.settle() {
            Ok(Outcome::Run(settled)) => settled.args,
            other => panic!("{other:?}"),
        }
    }

    fn notes(&self) -> Vec<Event> {
        match self.settle() {
            Ok(Outcome::Run(settled)) => settled.notes,
            other => panic!("{other:?}"),
        }
    }

    fn error(&self) -> String {
        self.settle().expect_err("refused")
    }

    /// What `--show-config` prints of an option, without the folder: value and source.
    fn shown(&self, option: &str) -> Vec<(String, String)> {
        let rows = self.table().into_iter().filter(|row| row.split_whitespace().next() == Some(option));
        let row = |row: String| {
            let (value, source) = row[option.len()..].trim_start().split_once("  ").expect("a source");
            (value.trim().to_owned(), source.trim().to_owned())
        };
        rows.map(row).collect()
    }

    fn not_used(&self) -> Vec<String> {
        self.table().iter().filter_map(|row| row.strip_prefix("not used: ")).map(str::to_owned).collect()
    }

    fn table(&self) -> Vec<String> {
        let mut line = self.line.clone();
        line.insert(1, "--show-config".into());
        let shown =
            Process { folder: tempfile::tempdir().expect("a folder"), line, environment: self.environment.clone() };
        let surroundings =
            Surroundings { environment: shown.environment.clone(), system_file: self.path("system.conf") };
        match settle::<Program>(shown.line.clone(), &surroundings) {
            Ok(Outcome::Show(text)) => {
                text.replace(&format!("{}/", self.folder.path().display()), "").lines().map(str::to_owned).collect()
            }
            other => panic!("{other:?}"),
        }
    }
}

fn row(value: &str, source: &str) -> Vec<(String, String)> {
    vec![(value.to_owned(), source.to_owned())]
}

#[test]
fn clap_finds_no_fault() {
    Program::command().debug_assert();
}

#[test]
fn each_source_holds_before_those_below_it() {
    let below = Process::new(&["db2"]).defaults("[mysqld]\nwait=0\n[xbsend]\nwait=4s");
    assert_eq!(below.shown("wait"), row("4s", "defaults-file my.cnf:4 [xbsend]"));
    let file = below.system("[xbrecv]\nwait=0\n[xb]\nwait=3s # patience");
    assert_eq!(file.shown("wait"), row("3s", "system.conf:4"));
    let environment = file.variable("XB_WAIT", "2s");
    assert_eq!(environment.shown("wait"), row("2s", "environment XB_WAIT"));
    assert_eq!(environment.args().wait, "2s");
    let mut typed = environment;
    typed.line.push("--wait=1s".into());
    assert_eq!(typed.shown("wait"), row("1s", "command line"));
    assert_eq!(typed.args().wait, "1s");
    assert_eq!(Process::new(&["db2"]).shown("wait"), row("30s", "default"));
}

#[test]
fn a_named_file_takes_the_place_of_the_others() {
    let process = Process::new(&["db2"]).system("[xb]\nwait=1s\nverbose").file("named.conf", "[xb]\nwait=2s");
    let named = process.path("named.conf").display().to_string();
    let process = process.variable("XB_CONFIG", &named);
    let args = process.args();
    assert_eq!((args.wait.as_str(), args.verbose), ("2s", false));
    assert_eq!(process.shown("config"), row("named.conf", "environment XB_CONFIG"));
    let process = process.variable("XB_CONFIG", "");
    assert_eq!(process.args().wait, "1s");
    assert_eq!(process.shown("config"), row("system.conf", "default"));
    let lost = Process::new(&["db2", "--config", "/nonexistent/xb.conf"]).error();
    assert!(lost.starts_with("reading the settings in /nonexistent/xb.conf: No such file"), "{lost}");
}

#[test]
fn what_is_required_may_come_from_anywhere() {
    assert_eq!(Process::new(&[]).variable("XB_TO", "db3").args().to, "db3");
    let process = Process::new(&["--", "cat", "--to"]).system("[xbsend]\nto = db4:9999");
    let args = process.args();
    assert_eq!((args.to.as_str(), args.command), ("db4:9999", vec!["cat".into(), "--to".into()]));
    let error = Process::new(&[]).error();
    assert!(error.contains("required arguments were not provided") && error.contains("<HOST:PORT>"), "{error}");
    assert_eq!(Process::new(&[]).shown("to"), row("-", "default"));
    let error = Process::new(&[]).variable("XB_TO", "--verbose").error();
    assert_eq!(error, "XB_TO: to: expected a value that does not begin with a hyphen, found \"--verbose\"");
}

#[test]
fn switches_are_turned_on_and_off() {
    let verbose = |text: &str| Process::new(&["db2"]).system(text).args().verbose;
    for on in ["verbose", "verbose=1", "verbose = ON", "verbose=true", "skip-verbose\nverbose", "loose_verbose"] {
        assert!(verbose(&format!("[xb]\n{on}")), "{on}");
    }
    for off in ["verbose=0", "verbose\nverbose=off", "verbose\nskip-verbose", "loose-skip_verbose=1"] {
        assert!(!verbose(&format!("[xb]\n{off}")), "{off}");
    }
    let process = Process::new(&["db2"]).system("[xb]\nverbose\ncompress=3").variable("XB_VERBOSE", "0");
    assert_eq!((process.args().verbose, process.args().compress), (false, Some("3".into())));
    assert_eq!(process.shown("verbose"), row("false", "environment XB_VERBOSE"));
    let process = Process::new(&["db2"]).defaults("[xb]\nwait=9s\ncompress=3").system("[xb]\nskip-wait\ncompress");
    assert_eq!((process.args().wait, process.args().compress), ("30s".into(), Some("auto".into())));
}

#[test]
fn options_that_may_be_repeated_take_the_place_of_all_that_is_below() {
    let process = Process::new(&["db2"]).defaults("[xb]\ntool-args=-a\ntool-args=--b=1");
    assert_eq!(process.args().tool_args, ["-a", "--b=1"]);
    assert_eq!(process.shown("tool-args").len(), 2);
    let process = process.system("[xb]\ntool-args=-c");
    assert_eq!(process.args().tool_args, ["-c"]);
    let last = Process::new(&["db2"]).system("[xb]\nrate-limit=1m\nrate_limit=2m").args().rate_limit;
    assert_eq!(last.map(Rate::bytes_per_second), Some(2 << 20));
}

#[test]
fn what_is_above_wins_where_two_options_exclude_each_other() {
    let process = Process::new(&["-4", "db2"]).system("[xb]\nipv6");
    assert!(process.args().ipv4 && !process.args().ipv6);
    assert_eq!(process.not_used(), ["ipv6 = true (system.conf:2): it does not go with --ipv4"]);
    assert!(
        matches!(&process.notes()[..], [Event::Detail(words)] if words.starts_with("a setting is not used: ipv6 = "))
    );
    // Whichever of the two says so.
    let process = Process::new(&["-6", "db2"]).system("[xb]\nipv4");
    assert!(process.args().ipv6 && !process.args().ipv4);
    let process = Process::new(&["db2"]).system("[xb]\nipv4").variable("XB_IPV6", "1");
    assert!(process.args().ipv6);
    let process = Process::new(&["db2", "--", "cat"]).system("[xb]\ntool=mariadb-backup");
    assert_eq!(process.args().tool, None);
    // A value that is not used may be wrong.
    let process = Process::new(&["db2", "--wait=1s", "-i", "f"]).system("[xb]\nexpect=nonsense");
    assert_eq!(process.args().expect, None);
}

#[test]
fn two_options_of_one_source_that_exclude_each_other_are_an_error() {
    let error = Process::new(&["db2"]).system("[xb]\nipv4\nipv6").error();
    assert_eq!(error, "system.conf:3: ipv6 does not go with --ipv4 (system.conf:2)");
    let error = Process::new(&["db2"]).variable("XB_IPV4", "1").variable("XB_IPV6", "on").error();
    assert_eq!(error, "XB_IPV6: ipv6 does not go with --ipv4 (XB_IPV4)");
    assert!(Process::new(&["-4", "db2"]).system("[xb]\nipv4\nipv6").args().ipv4);
    // One of them is about something else.
    assert_eq!(Process::new(&["db2"]).system("[xb]\nwait=1s\nexpect=backup").args().wait, "1s");
}

#[test]
fn a_setting_that_needs_what_is_not_given_is_not_used() {
    let text = "[xb]\nencrypt-key-file=k\nunpacked-limit=9";
    let process = Process::new(&["db2"]).system(text);
    assert_eq!((process.args().encrypt_key_file, process.args().unpacked_limit), (None, None));
    let mut words = process.not_used();
    words.sort();
    assert_eq!(words[0], "encrypt-key-file = k (system.conf:2): it needs --decrypt <ALGO>");
    assert!(words[1].starts_with("unpacked-limit = 9 (system.conf:3): it needs <--decompress|"), "{words:?}");
    assert_eq!(words.len(), 2);
    let process = Process::new(&["db2", "--decrypt", "AES256"]).system(text);
    assert_eq!((process.args().encrypt_key_file, process.args().unpacked_limit), (Some("k".into()), Some(9)));
    // What it needs may come from another source, above or below.
    let process = Process::new(&["db2"]).system("[xb]\ndecrypt=AES256").variable("XB_ENCRYPT_KEY_FILE", "k");
    assert_eq!(process.args().encrypt_key_file, Some("k".into()));
    let process = Process::new(&["db2"]).system("[xb]\nunpacked-limit=7").variable("XB_DECOMPRESS", "1");
    assert_eq!(process.args().unpacked_limit, Some(7));
}

#[test]
fn what_guards_the_connection_is_never_left_out_for_want_of_something() {
    let error = Process::new(&["db2"]).system("[xb]\nssl-cert=c.pem").error();
    assert_eq!(error, "system.conf:2: ssl-cert needs --ssl-key <FILE>");
    let args = Process::new(&["db2"]).system("[xb]\nssl-cert=c.pem").variable("XB_SSL_KEY", "k.pem").args();
    assert_eq!((args.ssl_cert, args.ssl_key), (Some("c.pem".into()), Some("k.pem".into())));
}

#[test]
fn what_guards_the_connection_is_never_left_out_for_what_is_above_it() {
    let guarded = |line: &[&str]| Process::new(line).system("[xb]\nssl-ca=ca.pem");
    let words = "and is not left out: it says who may be at the other end; give one of them";
    assert_eq!(
        guarded(&["--ssh", "db7", "db2"]).error(),
        format!("system.conf:2: ssl-ca does not go with --ssh <HOST> (the command line), {words}")
    );
    assert_eq!(
        guarded(&["db2"]).variable("XB_ANY_PEER", "1").error(),
        format!("system.conf:2: ssl-ca does not go with --any-peer (XB_ANY_PEER), {words}")
    );
    assert!(guarded(&["--ssh", "db7", "db2", "--config", "/dev/null"]).args().ssl_ca.is_none());
    // Nobody is at the other end of a file.
    let process = guarded(&["--from", "f", "db2"]);
    assert_eq!(process.args().ssl_ca, None);
    assert_eq!(process.not_used(), ["ssl-ca = ca.pem (system.conf:2): it does not go with --from <FILE>"]);
}

#[test]
fn what_says_what_to_do_now_is_no_setting() {
    let process =
        Process::new(&["db2"]).variable("XB_INPUT", "f").variable("XB_TOOL", "evil").variable("XB_KEY", "secret");
    assert_eq!((process.args().input, process.args().tool), (Vec::new(), None));
    // Others use the prefix too; what a command of --then is told is known.
    let details: Vec<_> = process.notes().into_iter().collect();
    assert_eq!(details.len(), 1, "{details:?}");
    assert_eq!(
        Process::new(&["db2"]).system("[xb]\ninput=f").error(),
        "system.conf:2: input cannot be set in a file: it is for the command line"
    );
    let words = "it is for the command line or the environment";
    assert_eq!(
        Process::new(&["db2"]).system("[xb]\nconfig=f").error(),
        format!("system.conf:2: config cannot be set in a file: {words}")
    );
    let error = Process::new(&["db2"]).system("[xb]\nssh=db7").error();
    assert_eq!(error, "system.conf:2: ssh cannot be set in a file: it is for the command line");
    assert_eq!(Process::new(&["db2"]).variable("XB_SSH", "db7").args().ssh, None);
    assert_eq!(Process::new(&["db2"]).system("[xb]\ntool=mbackup").args().tool, Some("mbackup".into()));
}

#[test]
fn errors_name_their_source() {
    for (name, value, said) in [
        ("XB_RATE_LIMIT", "10q", "XB_RATE_LIMIT: invalid value '10q' for '--rate-limit <RATE_LIMIT>': "),
        ("XB_VERBOSE", "maybe", "XB_VERBOSE: verbose: expected 1, 0, true, false, on or off, found \"maybe\""),
    ] {
        let error = Process::new(&["db2"]).variable(name, value).error();
        assert!(error.starts_with(said) && !error.contains("--help"), "{error}");
    }
    for (text, said) in [
        ("[xb]\nrate-limit=10q", "system.conf:2: invalid value '10q' for '--rate-limit <RATE_LIMIT>': "),
        ("[xb]\nrate-limit", "system.conf:2: rate-limit: a value is needed"),
        ("[xbsend]\nratelimit=1m", "system.conf:2: xbsend has no option ratelimit; is rate-limit meant?"),
        (
            "[xb]\nport=1",
            "system.conf:2: xbsend has no option port: what only one program knows belongs in its own group",
        ),
        ("[xbsned]\nwait=1s", "system.conf:2: nobody reads the group [xbsned]; there are [xb], [xbsend] and [xbrecv]"),
        ("xb1-SECRET", "system.conf:1: expected a group such as [xb] before the first option"),
        ("[xb]\n!include lost.conf", "system.conf:2: reading the settings in lost.conf: No such file"),
    ] {
        let error = Process::new(&["db2"]).system(text).error();
        assert!(error.starts_with(said), "{error}");
    }
    let error = Process::new(&["db2"]).defaults("[xbsend]\nwait").error();
    assert_eq!(error, "my.cnf:2: wait: a value is needed, as in NAME = VALUE");
    assert_eq!(Process::new(&["db2"]).system("[xbsend]\nloose-port=1\nwait=2s").args().wait, "2s");
}

#[test]
fn the_command_line_is_refused_as_ever() {
    let settings = "[xb]\nrate-limit=1m";
    for (line, said) in [
        (&["db2", "--bogus"][..], "unexpected argument '--bogus'"),
        (&["-4", "-6", "db2"], "cannot be used with"),
        (&["-L", "10q", "db2"], "invalid value '10q'"),
        (&["--help"], "Usage: xbsend"),
    ] {
        let error = Process::new(line).system(settings).error();
        assert!(error.contains(said), "{error}");
    }
}

#[test]
fn secrets_are_not_shown_and_control_characters_are_written_out() {
    let process = Process::new(&["db2"]).variable("XB_KEY", "xb1-SECRET").variable("XB_KEY_FILE", "a\u{1b}[2Jb");
    assert_eq!(process.shown("XB_KEY"), row("set", "environment XB_KEY"));
    assert_eq!(process.shown("XB_ENCRYPT_KEY"), row("not set", "default"));
    assert_eq!(process.shown("key-file"), row(r"a\u{1b}[2Jb", "environment XB_KEY_FILE"));
    assert!(!process.table().concat().contains("SECRET"));
}

#[test]
fn strange_variables_are_told_of_and_ignored() {
    let notes = Process::new(&["db2"]).variable("XB_RATELIMIT", "1m").variable("XB_SHA1_0", "x").notes();
    let [Event::Detail(words)] = &notes[..] else { panic!("{notes:?}") };
    assert_eq!(
        words,
        "the environment variable XB_RATELIMIT is no setting of xbsend, and is ignored; is XB_RATE_LIMIT meant?"
    );
}

#[test]
fn programs_get_the_same_as_json() {
    let mut process = Process::new(&["--show-config=json", "-6"]).system("[xb]\nwait=5s\nipv4");
    process.line.push("db2".into());
    let Ok(Outcome::Show(text)) = process.settle() else { panic!("nothing is shown") };
    let json: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let all = json["options"].as_array().expect("options");
    let wait = all.iter().find(|row| row["option"] == "wait").expect("wait");
    let source = format!("{}:2", process.path("system.conf").display());
    assert_eq!(wait, &serde_json::json!({"option": "wait", "value": "5s", "source": source}));
    assert!(all.iter().any(|row| row["option"] == "rate-limit" && row["value"].is_null()));
    assert_eq!(json["not_used"].as_array().map(Vec::len), Some(1));
}

#[test]
fn the_users_file_is_the_only_one() {
    let process = Process::new(&["db2"]).system("[xb]\nverbose");
    let home = process.path("home");
    fs::create_dir_all(home.join("xb")).expect("a folder");
    fs::write(home.join("xb/xb.conf"), "[xb]\nwait=7s").expect("written");
    let process = process.variable("XDG_CONFIG_HOME", &home.display().to_string());
    assert_eq!((process.args().wait.as_str(), process.args().verbose), ("7s", false));
    // One that is there and cannot be read is never passed over.
    fs::remove_file(home.join("xb/xb.conf")).expect("removed");
    fs::create_dir(home.join("xb/xb.conf")).expect("a folder");
    assert!(process.error().contains("Is a directory"), "{}", process.error());
    assert!(!Path::new(SYSTEM_FILE).is_relative());
}
