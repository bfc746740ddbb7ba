//! Where options come from besides the command line: the environment, a file of ours, a MySQL option file; which holds, what is
//! refused, and how `--show-config` tells.

use std::fs::{self, File, Permissions};
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::Path;
use std::process::Command;

use clap::error::ErrorKind;
use clap::{Arg, ArgAction, CommandFactory};
use serde_json::Value;
use xbtests::skip::{is_root, skip};
use xbtests::{Backup, Ended, Output, Program, Scene, program_path};

/// What says what to do now: it is for the command line only.
const NOW: [&str; 11] =
    ["command", "input", "dir", "from", "list", "verify", "generate-key", "check", "control", "show-config", "ssh"];

/// A value and its source, of each value of an option.
type Values = Vec<(String, String)>;

/// What `--show-config` prints of an option. Paths begin in the scene's folder.
fn shown(scene: &Scene, program: Program, option: &str) -> Values {
    let json = shown_as_json(program);
    let rows = json["options"].as_array().expect("options").iter().filter(|row| row["option"] == option);
    let text = |value: &Value| value.as_str().unwrap_or("-").replace(&format!("{}/", scene.folder().display()), "");
    rows.map(|row| (text(&row["value"]), text(&row["source"]))).collect()
}

fn shown_as_json(program: Program) -> Value {
    let ended = program.arg("--show-config=json").start().wait();
    assert_eq!(ended.code, 0, "{}", ended.log);
    serde_json::from_slice(&ended.stdout).expect("JSON")
}

fn one(value: &str, source: &str) -> Values {
    vec![(value.to_owned(), source.to_owned())]
}

/// Both programs, with a command line that lacks what they need.
fn both(scene: &Scene) -> [Program; 2] {
    [scene.xbsend([]), scene.xbrecv([])]
}

/// Writes the user's file of a scene, and lets a program find it.
fn with_user_file(scene: &Scene, program: Program, text: &str) -> Program {
    fs::create_dir_all(scene.path("home/.config/xb")).expect("a folder");
    scene.file("home/.config/xb/xb.conf", text);
    program.env("XB_CONFIG", "").env("XDG_CONFIG_HOME", "").env("HOME", scene.path("home"))
}

#[test]
fn every_source_is_shown_and_holds_before_those_below_it() {
    let scene = Scene::new();
    scene.file("my.cnf", "[mysqld]\nport = 3306\n\n[xb]\npeer-timeout = 4s # as long as it takes\n");
    scene.file("named.conf", "# ours\n[xb]\npeer_timeout=3s\n");
    for source in 0..2 {
        let program = || both(&scene).into_iter().nth(source).expect("a program");
        let values = |program: Program| shown(&scene, program, "peer-timeout");
        assert_eq!(values(program()), one("15s", "default"));
        let defaults = || program().args(["--defaults-file", "my.cnf"]);
        assert_eq!(values(defaults()), one("4s", "defaults-file my.cnf:5 [xb]"));
        assert_eq!(values(program().env("XB_DEFAULTS_FILE", "my.cnf")), one("4s", "defaults-file my.cnf:5 [xb]"));
        let user = with_user_file(&scene, defaults(), "[xb]\nwindow=9m\npeer-timeout = '5s'");
        assert_eq!(values(user), one("5s", "home/.config/xb/xb.conf:3"));
        let named = || defaults().args(["--config", "named.conf"]);
        assert_eq!(values(named()), one("3s", "named.conf:3"));
        assert_eq!(values(defaults().env("XB_CONFIG", "named.conf")), one("3s", "named.conf:3"));
        let environment = || named().env("XB_PEER_TIMEOUT", "2s");
        assert_eq!(values(environment()), one("2s", "environment XB_PEER_TIMEOUT"));
        assert_eq!(values(environment().arg("--peer-timeout=1s")), one("1s", "command line"));
    }
}

#[test]
fn the_systems_file_is_read_where_the_user_has_none() {
    let scene = Scene::new();
    // In a mount namespace of its own, so that the host's stays as it is.
    let apart = ["--map-root-user", "--mount"];
    if !Command::new("unshare").args(apart).arg("true").status().is_ok_and(|status| status.success()) {
        return skip("the_systems_file_is_read_where_the_user_has_none", "no mount namespaces (run it as root)");
    }
    let script = "mount -t tmpfs none /etc && mkdir /etc/xb && printf '[xbrecv]\\nwait=6s\\n' > /etc/xb/xb.conf && exec \"$0\" \"$@\"";
    let program = || {
        let program = scene.program("xbrecv", "unshare").args(apart).args(["sh", "-c", script]);
        program.arg(program_path("xbrecv")).env("XB_CONFIG", "").env("HOME", scene.folder()).env("XDG_CONFIG_HOME", "")
    };
    assert_eq!(shown(&scene, program(), "wait"), one("6s", "/etc/xb/xb.conf:2"));
    let user = with_user_file(&scene, program(), "[xbrecv]\nwindow=9m");
    assert_eq!(shown(&scene, user, "wait"), one("-", "default"));
}

#[test]
fn every_option_is_a_setting_of_every_source_or_says_what_to_do_now() {
    for (program, command) in [("xbsend", xbsend::args::Args::command()), ("xbrecv", xbrecv::args::Args::command())] {
        let mut command = command;
        command.build();
        for arg in command.get_arguments().filter(|arg| !tells_only(arg)) {
            let name = arg.get_long().map_or_else(|| arg.get_id().to_string(), str::to_owned);
            let sources = match name.as_str() {
                now if NOW.contains(&now) => [false; 3],
                "config" | "defaults-file" => [true, false, false],
                // The environment of a command of --then has a name in it that the backup brings.
                "tool" => [false, true, true],
                _ => [true; 3],
            };
            check_sources(program, &name, &sample(&command, arg), sources);
        }
    }
}

/// Whether the environment, a file of ours and a MySQL option file set an option exactly as expected.
fn check_sources(program: &str, name: &str, value: &str, expected: [bool; 3]) {
    let scene = Scene::new();
    let text = format!("[{program}]\n{name} = {value}\n");
    let (conf, cnf) = (scene.file("xb.conf", &text), scene.file("my.cnf", &text));
    // A file that is named may be one that an option names.
    let variable = format!("XB_{}", name.to_uppercase().replace('-', "_"));
    let value = if ["config", "defaults-file"].contains(&name) { "xb2.conf" } else { value };
    scene.file("xb2.conf", "");
    let run = || scene.program(program, program_path(program)).arg("--show-config=json");
    let file = |option: &str, path: &Path| run().arg(option).arg(path);
    let sources = [
        (run().env(&variable, value), format!("environment {variable}")),
        (file("--config", &conf), format!("{}:2", conf.display())),
        (file("--defaults-file", &cnf), format!("defaults-file {}:2 [{program}]", cnf.display())),
    ];
    for ((program, source), expected) in sources.into_iter().zip(expected) {
        let ended = program.start().wait();
        let text = String::from_utf8_lossy(&ended.stdout).into_owned();
        assert_eq!(text.contains(&source), expected, "{name} = {value} from {source}: {text}{}", ended.log);
    }
}

/// A value that an option takes.
fn sample(command: &clap::Command, arg: &Arg) -> String {
    let me = rustix::process::geteuid().as_raw().to_string();
    let fingerprint = format!("SHA256:{}", "ab".repeat(32));
    let some = [
        "x",
        "2",
        "quic",
        "8m",
        "9s",
        "640",
        "127.0.0.1",
        "127.0.0.1:9999",
        "40000-40009",
        "AES256",
        "VERIFY_CA",
        &me,
        &fingerprint,
    ];
    let possible = arg.get_possible_values().into_iter().map(|value| value.get_name().to_owned());
    let some: Vec<String> = possible.chain(some.map(str::to_owned)).collect();
    match (arg.get_action().takes_values(), arg.get_long()) {
        (false, _) => "on".to_owned(),
        (true, None) => "x".to_owned(),
        (true, Some(name)) => {
            let is_taken = |value: &&String| {
                let line = [command.get_name().to_owned(), format!("--{name}={value}")];
                let parsed = command.clone().try_get_matches_from(line);
                !parsed.is_err_and(|error| matches!(error.kind(), ErrorKind::ValueValidation | ErrorKind::InvalidValue))
            };
            some.iter().find(is_taken).unwrap_or_else(|| panic!("nobody has said what --{name} takes")).clone()
        }
    }
}

fn tells_only(arg: &Arg) -> bool {
    matches!(arg.get_action(), ArgAction::Help | ArgAction::Version)
}

#[test]
fn an_error_names_its_source() {
    let scene = Scene::new();
    let bad = scene.file("bad.conf", "[xb]\n\nwindow = 1q\n");
    scene.file("unknown.conf", "[xbsend]\nratelimit = 1m\n[xbrecv]\nlisten-on = 1\n");
    scene.file("outer.conf", "[xb]\n!include inner.conf\n");
    scene.file("inner.conf", "[xb]\nprogress = rainbow\n");
    scene.file("lost.conf", "!include no-such.conf\n");
    let refused = |program: Program, said: &str| {
        let ended = program.start().wait();
        ended.expect_failure(2).expect_said(&format!("error: {said}"));
        assert!(ended.stdout.is_empty());
    };
    let path = |name: &str| scene.path(name).display().to_string();
    for source in 0..2 {
        let program = || both(&scene).into_iter().nth(source).expect("a program").args(["--window", "8m"]);
        let other = || both(&scene).into_iter().nth(source).expect("a program");
        refused(other().env("XB_WINDOW", "1q"), "XB_WINDOW: invalid value '1q' for '--window <SIZE>': ");
        refused(
            other().arg("--config").arg(&bad),
            &format!("{}:3: invalid value '1q' for '--window <SIZE>': ", path("bad.conf")),
        );
        refused(
            other().args(["--defaults-file", "bad.conf"]),
            "bad.conf:3: invalid value '1q' for '--window <SIZE>': ",
        );
        let user = with_user_file(&scene, other(), "[xb]\nwindow");
        refused(user, &format!("{}:2: window: a value is needed", path("home/.config/xb/xb.conf")));
        refused(other().env("XB_VERBOSE", "maybe"), "XB_VERBOSE: verbose: expected 1, 0, true, false, on or off");
        refused(
            program().args(["--config", "outer.conf"]),
            "inner.conf:2: invalid value 'rainbow' for '--progress <MODE>'",
        );
        refused(
            program().args(["--config", "lost.conf"]),
            "lost.conf:1: reading the settings in no-such.conf: No such file",
        );
        refused(program().args(["--config", "no-such.conf"]), "reading the settings in no-such.conf: No such file");
        refused(program().args(["--defaults-file", "."]), "reading the settings in .: Is a directory");
    }
    refused(
        scene.xbsend(["--config", "unknown.conf"]),
        "unknown.conf:2: xbsend has no option ratelimit; is rate-limit meant?",
    );
    refused(scene.xbrecv(["--config", "unknown.conf"]), "unknown.conf:4: xbrecv has no option listen-on");
}

#[test]
fn a_file_that_is_there_and_cannot_be_read_is_never_passed_over() {
    let scene = Scene::new();
    let program = with_user_file(&scene, scene.xbsend(["--show-config"]), "[xb]\nwindow=9m");
    fs::set_permissions(scene.path("home/.config/xb/xb.conf"), Permissions::from_mode(0o000)).expect("changed");
    let program = match is_root() {
        false => program,
        // Root may read everything, and nobody else may run what stands in root's folders: a directory cannot be read by anyone.
        true => {
            fs::remove_file(scene.path("home/.config/xb/xb.conf")).expect("removed");
            scene.new_folder("home/.config/xb/xb.conf");
            program
        }
    };
    let ended = program.start().wait();
    ended.expect_failure(2).expect_said("error: reading the settings in ").expect_said("home/.config/xb/xb.conf: ");
    assert!(ended.stdout.is_empty());
}

#[test]
fn a_file_that_everybody_may_write_is_refused_and_one_of_a_group_warned_of() {
    let (scene, backup) = (Scene::new(), Backup::small());
    let conf = scene.file("xb.conf", "[xbrecv]\noutput=out.xb\n");
    let receiver = || scene.receiver(["--config", "xb.conf"]);
    fs::set_permissions(&conf, Permissions::from_mode(0o666)).expect("changed");
    receiver().start().wait().expect_failure(2).expect_said("everybody may write there (mode 0666)");
    fs::set_permissions(&conf, Permissions::from_mode(0o664)).expect("changed");
    let (sent, received) = scene.transfer(receiver(), |to| scene.sender(to, []).feed(&backup));
    sent.expect_success();
    received.expect_success().expect_said("the settings in xb.conf have mode 0664");
    assert!(scene.path("out.xb").exists());
}

#[test]
fn a_file_of_somebody_else_is_read_only_where_it_is_named() {
    if !is_root() {
        return skip("a_file_of_somebody_else_is_read_only_where_it_is_named", "only root gives files away");
    }
    let scene = Scene::new();
    let program = with_user_file(&scene, scene.xbsend(["--show-config"]), "[xb]\nwindow=9m");
    let conf = scene.path("home/.config/xb/xb.conf");
    chown(&conf, Some(4242), None).expect("given away");
    let ended = program.start().wait();
    ended.expect_failure(2).expect_said("the user with number 4242 may change them");
    let named = scene.xbsend(["--config"]).arg(&conf);
    assert_eq!(shown(&scene, named, "window"), one("9m", "home/.config/xb/xb.conf:2"));
    scene.file("outer.conf", "!include home/.config/xb/xb.conf\n");
    let ended = scene.xbsend(["--show-config", "--config", "outer.conf"]).start().wait();
    ended.expect_failure(2).expect_said("error: outer.conf:1: the settings in home/.config/xb/xb.conf are not read");
}

#[test]
fn a_transfer_needs_nothing_but_settings() {
    let (scene, backup) = (Scene::new(), Backup::small());
    scene.file("key", scene.key().reveal());
    fs::set_permissions(scene.path("key"), Permissions::from_mode(0o600)).expect("changed");
    scene.file("in.xb", backup.stream());
    scene.file("xb.conf", "[xb]\nkey-file = key\n[xbsend]\nto=192.0.2.1\nchecksum-file=in.sha1\n");
    // The sender has an option of this name, too, for what it starts over ssh.
    let with_settings = |program: Program| program.without_key().env("XB_CONFIG", "xb.conf").env("XB_OUTPUT", "out.xb");
    let receiver = with_settings(scene.xbrecv([])).env("XB_LISTEN", "127.0.0.1:0").start();
    let sender = with_settings(scene.xbsend(["-i", "in.xb"])).env("XB_TO", receiver.address());
    sender.start().wait().expect_success();
    receiver.wait().expect_success();
    assert!(fs::read(scene.path("out.xb")).expect("stored") == backup.stream());
    assert!(fs::read_to_string(scene.path("in.sha1")).expect("a line").starts_with(&backup.sha1()));
}

#[test]
fn what_is_typed_wins_over_a_setting_that_it_excludes() {
    let scene = Scene::new();
    scene.file("xb.conf", "[xbsend]\nexpect=backup\ntool=no-such-tool\n[xb]\nipv6\n[xbrecv]\nextract\ndirectory=new\n");
    scene.file("in", "any bytes");
    let receiver = scene.receiver(["-4", "-o", "out", "-v"]).env("XB_CONFIG", "xb.conf");
    let sender = |to: &str| scene.sender(to, ["-4", "--raw", "-v", "-i", "in"]).env("XB_CONFIG", "xb.conf");
    let (sent, received) = scene.transfer(receiver, sender);
    sent.expect_success().expect_said("a setting is not used: expect = backup (xb.conf:2): it does not go with --raw");
    received.expect_success().expect_said("a setting is not used: extract = true (xb.conf:7): it does not go with ");
    assert_eq!(fs::read(scene.path("out")).expect("stored"), b"any bytes");
    let shown =
        scene.xbsend(["--raw", "-4", "-i", "in", "--show-config", "db2"]).env("XB_CONFIG", "xb.conf").start().wait();
    let table = String::from_utf8(shown.stdout).expect("UTF-8");
    for unused in [
        "not used: expect = backup (xb.conf:2): it does not go with --raw\n",
        "not used: tool = no-such-tool (xb.conf:3): it does not go with --input <FILE>\n",
        "not used: ipv6 = true (xb.conf:5): it does not go with --ipv4\n",
    ] {
        assert!(table.contains(unused), "{table}");
    }
}

#[test]
fn two_settings_of_one_source_that_exclude_each_other_are_refused() {
    let scene = Scene::new();
    scene.file("xb.conf", "[xbrecv]\nextract\noutput=out.xb\n");
    let ended = scene.receiver(["--config", "xb.conf"]).start().wait();
    ended.expect_failure(2).expect_said("error: xb.conf:3: output does not go with --extract (xb.conf:2)");
    let environment = scene.xbsend(["db2"]).env("XB_IPV4", "1").env("XB_IPV6", "1").start().wait();
    environment.expect_failure(2).expect_said("error: XB_IPV6: ipv6 does not go with --ipv4 (XB_IPV4)");
}

#[test]
fn a_setting_for_another_job_is_no_hindrance() {
    let scene = Scene::new();
    scene.file("stored.xb", Backup::small().stream());
    scene.file(
        "xb.conf",
        "[xbrecv]\nlisten=127.0.0.1:0\nwait=1h\nkey-file=no-such-key\nexpect=xbstream\nunpacked-limit=1g\nencrypt-key-file=no-such\nprepare\n",
    );
    let verify = scene.xbrecv(["--verify", "--from", "stored.xb"]).env("XB_CONFIG", "xb.conf").start().wait();
    verify.expect_success();
    let json = shown_as_json(scene.xbrecv(["-x"]).env("XB_CONFIG", "xb.conf"));
    let unused: Vec<&str> = json["not_used"].as_array().expect("a list").iter().filter_map(Value::as_str).collect();
    assert_eq!(unused.len(), 3, "{unused:?}");
    assert!(unused.contains(&"encrypt-key-file = no-such (xb.conf:7): it needs --decrypt <ALGO>"), "{unused:?}");
}

#[test]
fn nothing_but_settings_is_shown_and_nothing_done() {
    let scene = Scene::new();
    let ended = scene.xbrecv(["--show-config", "-o", "a\u{1b}b"]).start().wait();
    assert_eq!((ended.code, ended.log.as_str()), (0, ""));
    let table = String::from_utf8(ended.stdout).expect("UTF-8");
    assert!(table.starts_with("option "), "{table}");
    assert!(
        table.lines().any(|line| line.split_whitespace().eq(["output", r"a\u{1b}b", "command", "line"])),
        "{table}"
    );
    assert!(table.lines().any(|line| line.split_whitespace().eq(["listen", "9999", "default"])), "{table}");
    assert_eq!(scene.listing(""), Vec::<String>::new());
    let full = File::options().write(true).open("/dev/full").expect("a full device");
    let ended = scene.xbsend(["--show-config"]).output(Output::Open(full.into())).start().wait();
    assert_eq!(ended.code, 1);
}

#[test]
fn a_key_is_never_shown() {
    let scene = Scene::new();
    let secret = scene.key().reveal()[4..].to_owned();
    let silent = |ended: &Ended| {
        ended.expect_silence_on(&secret);
        assert!(!String::from_utf8_lossy(&ended.stdout).contains(&secret));
    };
    scene.file("key", scene.key().reveal());
    for (program, form) in both(&scene).into_iter().zip(["--show-config", "--show-config=json"]) {
        let ended = program.args(["--key-file", "key", form]).env("XB_ENCRYPT_KEY", &secret).start().wait();
        assert_eq!(ended.code, 0);
        silent(&ended);
        let text = String::from_utf8_lossy(&ended.stdout).into_owned();
        assert!(text.contains("environment XB_KEY"), "{text}");
    }
    for program in both(&scene) {
        assert_eq!(shown(&scene, program.without_key(), "XB_KEY"), one("not set", "default"));
    }
    // Named where a file of settings is meant.
    for option in ["--config", "--defaults-file"] {
        for program in both(&scene) {
            let ended = program.args([option, "key"]).start().wait();
            silent(ended.expect_failure(2).expect_said("key:1: expected a group"));
        }
    }
}

#[test]
fn what_a_backup_says_of_itself_is_no_setting_of_a_program_that_then_runs() {
    let (scene, backup) = (Scene::new(), Backup::small());
    let (send, recv) = (program_path("xbsend"), program_path("xbrecv"));
    let then = format!("{} --show-config > told; {} --show-config >> told", send.display(), recv.display());
    let receiver = scene.receiver(["--extract", "-C", "new", "--then", &then]);
    let (_, received) = scene.transfer(receiver, |to| scene.sender(to, []).feed(&backup));
    received.expect_success();
    let told = fs::read_to_string(scene.path("told")).expect("what was told");
    let from_environment: Vec<&str> = told.lines().filter(|line| line.contains("environment XB_")).collect();
    assert!(from_environment.iter().all(|line| line.starts_with("config ")), "{from_environment:?}");
    assert_eq!(from_environment.len(), 2, "{told}");
}
