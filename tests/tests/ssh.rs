//! One command for both hosts: the other program is started over a real ssh.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;

use rustix::process::Signal;
use xbproto::cli::remote::Orders;
use xbtests::{
    Backup, Ended, FAR, FAR_HOST, FakeSsh, FakeTool, Input, NarrowPath, Scene, Sshd, Terminal, Trickle, program_path,
    sha1_of,
};

/// A scene with an sshd in it, unless this machine has none: then `test` is skipped.
macro_rules! far_host {
    ($scene:ident, $sshd:ident, $test:literal) => {
        let $scene = Scene::new();
        let Some($sshd) = Sshd::start($test, &$scene) else { return };
    };
}

/// The path of `name` in the scene, as an argument.
fn path(scene: &Scene, name: &str) -> String {
    scene.path(name).display().to_string()
}

/// What makes a sender look for the receiver where nobody is.
fn nowhere(scene: &Scene) -> [String; 3] {
    let ports = scene.free_address().port().to_string();
    ["--ports".to_owned(), ports, scene.free_address().to_string()]
}

/// The receiver over there has listened, has said nothing wrong, and is gone.
fn expect_sent(scene: &Scene, sent: &Ended) {
    sent.expect_success().expect_silence_on("warning");
    scene.expect_nobody_left();
}

#[test]
fn a_stream_is_stored_on_the_other_host() {
    far_host!(scene, sshd, "a_stream_is_stored_on_the_other_host");
    let backup = Backup::small();
    let sent = sshd.sender(&scene, ["-o", &path(&scene, "out.xb")]).feed(&backup).start().wait();
    expect_sent(&scene, &sent);
    sent.expect_said(&format!("{FAR_HOST}: {}  {}", backup.sha1(), path(&scene, "out.xb")));
    sent.expect_said("db7: xbrecv has ended well");
    assert_eq!(sha1_of(&fs::read(scene.path("out.xb")).unwrap()), backup.sha1());
    assert!(scene.path("out.xb.sha1").exists());
}

#[test]
fn a_command_is_unpacked_on_the_other_host() {
    far_host!(scene, sshd, "a_command_is_unpacked_on_the_other_host");
    let backup = Backup::small();
    scene.file("in.xb", backup.stream());
    let sent = sshd.sender(&scene, ["--extract", &path(&scene, "data"), "--", "cat", "in.xb"]).start().wait();
    expect_sent(&scene, &sent);
    backup.expect_in(&scene.path("data"));
}

#[test]
fn file_names_arrive_byte_for_byte() {
    far_host!(scene, sshd, "file_names_arrive_byte_for_byte");
    scene.new_folder("far");
    let names: [&[u8]; 6] = [
        b"two words",
        b"quotes ' and \" and ` and $HOME and $(touch x)",
        br"a \ and a \\, a ; and a & and a | and a > and a *",
        b"a line\nand another",
        b"not UTF-8: \xff\xfe",
        b"~ #! {a,b} [a] \t %s",
    ];
    for name in names {
        let path = scene.path("far").join(OsStr::from_bytes(name));
        let sent = sshd.sender(&scene, ["-o"]).arg(&path).feed(&Backup::small()).start().wait();
        assert_eq!(sent.code, 0, "{}", path.display());
        assert!(path.is_file() && fs::metadata(&path).unwrap().len() > 0, "{}", path.display());
    }
    assert_eq!(fs::read_dir(scene.path("far")).unwrap().count(), 2 * names.len());
    assert!(!scene.path("x").exists());
}

#[test]
fn every_argument_is_handed_over_as_it_is() {
    far_host!(scene, sshd, "every_argument_is_handed_over_as_it_is");
    // It keeps its orders, and does nothing: a receiver that never listens.
    let far = FakeTool::new(&scene, "xbrecv", &format!("cat > {}", path(&scene, "orders")));
    let words = ["-o", "/f", "-M", "", "-M", "--only=a b", "-M=--then=echo \"$x\"", "-M", "-v", "-M", "$(id)\n'\\"];
    let sent = scene.xbsend([]).args(sshd.words_for(&far.tool("xbrecv"))).args(words).feed(&Backup::small()).start();
    scene.wait_for_size("orders", 100);
    sent.signal(Signal::TERM);
    sent.wait().expect_failure(143);
    scene.expect_nobody_left();
    let mut orders = fs::File::open(scene.path("orders")).unwrap();
    let orders = Orders::read(&mut orders).unwrap();
    assert_ne!(orders.key.as_bytes(), scene.key().as_bytes(), "a key for once");
    let given = ["", "--only=a b", "--then=echo \"$x\"", "-v", "$(id)\n'\\"];
    let all: Vec<_> = orders.arguments.iter().map(|argument| argument.to_str().unwrap()).collect();
    assert_eq!(all[..2], ["--progress", "json"]);
    assert_eq!(all[all.len() - given.len()..], given);
}

#[test]
fn a_receiver_that_is_not_installed_is_told_with_what_to_do() {
    far_host!(scene, sshd, "a_receiver_that_is_not_installed_is_told_with_what_to_do");
    for missing in ["xbrecv-of-nobody", "/nonexistent/xbrecv", "env xbrecv-of-nobody"] {
        let words = sshd.words_for(missing);
        let sent = scene.xbsend([]).args(words).args(["-o", "/f"]).feed(&Backup::small()).start().wait();
        sent.expect_failure(3).expect_said(&format!("{missing} cannot be run on db7"));
        sent.expect_said("install xbrecv there, or say where it is with --remote-path");
        scene.expect_nobody_left();
    }
}

#[test]
fn the_remote_path_is_a_command_of_the_shell_there() {
    far_host!(scene, sshd, "the_remote_path_is_a_command_of_the_shell_there");
    let path_of = program_path("xbrecv").display().to_string();
    let words = sshd.words_for(&format!("XB_TRIED=\"a b\" nice -n 1 {path_of}"));
    let then = format!("--then=printenv XB_TRIED > {}", path(&scene, "tried"));
    let sent = scene.xbsend([]).args(words).args(["-o", &path(&scene, "out.xb"), "-M", &then]);
    expect_sent(&scene, &sent.feed(&Backup::small()).start().wait());
    assert_eq!(fs::read_to_string(scene.path("tried")).unwrap(), "a b\n");
}

#[test]
fn a_destination_that_exists_is_the_failure_of_both() {
    far_host!(scene, sshd, "a_destination_that_exists_is_the_failure_of_both");
    let out = scene.file("out.xb", "precious");
    let sent = sshd.sender(&scene, ["-o"]).arg(&out).feed(&Backup::small()).start().wait();
    sent.expect_failure(7).expect_said("receiver: ").expect_said("out.xb");
    assert_eq!(fs::read_to_string(out).unwrap(), "precious");
    scene.expect_nobody_left();
}

#[test]
fn a_wrong_option_for_the_receiver_is_told_in_its_words() {
    far_host!(scene, sshd, "a_wrong_option_for_the_receiver_is_told_in_its_words");
    let sent = sshd.sender(&scene, ["-o", "/f", "-M", "--bogus"]).feed(&Backup::small()).start().wait();
    sent.expect_failure(2).expect_said("error: unexpected argument '--bogus' found");
    scene.expect_nobody_left();
}

#[test]
fn a_receipt_without_a_place_is_refused_before_anything_is_started() {
    let scene = Scene::new();
    let words = ["--ssh", FAR_HOST, "--ssh-command", "/nonexistent/ssh", "-o", "/f", "--receipt", "/no/such/place"];
    let sent = scene.xbsend(words).feed(&Backup::small()).start().wait();
    sent.expect_failure(2).expect_said("--receipt /no/such/place").expect_silence_on("starting");
}

#[test]
fn a_program_that_is_called_serves_once() {
    far_host!(scene, sshd, "a_program_that_is_called_serves_once");
    let sent = sshd.sender(&scene, ["-o", "/f", "-M", "--times=0"]).feed(&Backup::small()).start().wait();
    sent.expect_failure(2).expect_said("over ssh one backup is moved");
    scene.expect_nobody_left();
}

#[test]
fn certificates_of_a_file_are_not_silently_left_out() {
    let scene = Scene::new();
    let config = scene.file("xb.conf", "[xb]\nssl-ca = /etc/xb/ca.pem\n").display().to_string();
    let words = ["--config", &config, "--ssh", FAR_HOST, "-o", "/f"];
    let sent = scene.xbsend(words).feed(&Backup::small()).start().wait();
    sent.expect_failure(2).expect_said("ssl-ca").expect_said("--ssh").expect_silence_on("starting");
}

#[test]
fn who_may_not_log_in_is_told_what_ssh_says() {
    far_host!(scene, sshd, "who_may_not_log_in_is_told_what_ssh_says");
    let command = format!("{} -o PubkeyAuthentication=no", sshd.command());
    let words = ["--ssh", FAR_HOST, "--ssh-command", &command, "-o", "/f"];
    let sent = scene.xbsend(words).feed(&Backup::small()).start().wait();
    sent.expect_failure(3).expect_said("ssh could not connect to db7").expect_said("Permission denied (publickey");
    sent.expect_said(&format!("does `{command} db7 true` work?"));
    scene.expect_nobody_left();
}

#[test]
fn an_ssh_that_is_not_there_is_wrong_usage() {
    let scene = Scene::new();
    let words = ["--ssh", FAR_HOST, "--ssh-command", "/nonexistent/ssh -x", "-o", "/f"];
    let sent = scene.xbsend(words).feed(&Backup::small()).start().wait();
    sent.expect_failure(2).expect_said("starting /nonexistent/ssh: ").expect_said("--ssh-command");
}

#[test]
fn a_transfer_survives_the_end_of_its_ssh() {
    far_host!(scene, sshd, "a_transfer_survives_the_end_of_its_ssh");
    let source = Trickle::of(&Backup::new(4, 1 << 20));
    let sender = sshd.sender(&scene, ["-o", &path(&scene, "out.xb")]).input(source.input()).start();
    sender.log().wait_for("sending to");
    scene.kill("ssh");
    sender.log().wait_for("the ssh connection to db7 is gone");
    source.release();
    let sent = sender.wait();
    sent.expect_success().expect_said("the transfer goes on without it");
    sent.expect_said("xbrecv on db7 has not said how it ended");
    scene.expect_nobody_left();
    assert!(scene.path("out.xb.sha1").exists());
}

#[test]
fn a_receiver_ends_with_a_sender_that_never_came() {
    far_host!(scene, sshd, "a_receiver_ends_with_a_sender_that_never_came");
    for signal in [Signal::TERM, Signal::INT, Signal::KILL] {
        let args = ["-v", "-o", &path(&scene, "out.xb")];
        let sender = sshd.sender(&scene, args).args(nowhere(&scene)).feed(&Backup::small()).start();
        sender.log().wait_for("connecting to");
        sender.signal(signal);
        sender.wait().expect_failure(128 + signal.as_raw());
        scene.expect_nobody_left();
        assert!(!scene.path("out.xb").exists() && !scene.path("out.xb.partial").exists());
    }
}

#[test]
fn a_sender_that_reaches_nobody_leaves_nobody() {
    far_host!(scene, sshd, "a_sender_that_reaches_nobody_leaves_nobody");
    let args = ["--wait", "1s", "-o", &path(&scene, "out.xb")];
    let sent = sshd.sender(&scene, args).args(nowhere(&scene)).feed(&Backup::small()).start().wait();
    sent.expect_failure(3).expect_said("was not reached within").expect_said("listens there, but is not reached");
    scene.expect_nobody_left();
    assert!(!scene.path("out.xb").exists() && !scene.path("out.xb.partial").exists());
}

#[test]
fn a_source_that_fails_ends_both_sides() {
    far_host!(scene, sshd, "a_source_that_fails_ends_both_sides");
    let sent = sshd.sender(&scene, ["--raw", "-o", &path(&scene, "out.xb"), "--", "sh", "-c", "echo x; exit 3"]);
    let sent = sent.start().wait();
    sent.expect_failure(6).expect_said("db7: left there: nothing");
    assert!(!scene.path("out.xb").exists());
    scene.expect_nobody_left();
}

#[test]
fn a_sender_that_is_interrupted_ends_both_sides() {
    far_host!(scene, sshd, "a_sender_that_is_interrupted_ends_both_sides");
    let source = Trickle::of(&Backup::new(4, 1 << 20));
    let sender = sshd.sender(&scene, ["-o", &path(&scene, "out.xb")]).input(source.input()).start();
    sender.log().wait_for("sending to");
    sender.signal(Signal::INT);
    sender.wait().expect_failure(130).expect_said("db7: left there: nothing").expect_silence_on("warning");
    scene.expect_nobody_left();
}

#[test]
fn a_sender_that_is_killed_leaves_nobody() {
    far_host!(scene, sshd, "a_sender_that_is_killed_leaves_nobody");
    let source = Trickle::of(&Backup::new(4, 1 << 20));
    let args = ["--retry-for", "0", "--peer-timeout", "1s", "-o", &path(&scene, "out.xb")];
    let sender = sshd.sender(&scene, args).input(source.input()).start();
    sender.log().wait_for("sending to");
    sender.signal(Signal::KILL);
    sender.wait();
    scene.expect_nobody_left();
    assert!(!scene.path("out.xb").exists());
}

#[test]
fn a_receiver_that_is_killed_is_a_lost_peer() {
    far_host!(scene, sshd, "a_receiver_that_is_killed_is_a_lost_peer");
    let source = Trickle::of(&Backup::new(4, 1 << 20));
    let args = ["--retry-for", "0", "--peer-timeout", "1s", "-o", &path(&scene, "out.xb")];
    let sender = sshd.sender(&scene, args).input(source.input()).start();
    sender.log().wait_for("sending to");
    scene.kill("xbrecv");
    sender.wait().expect_failure(3);
    scene.expect_nobody_left();
}

#[test]
fn what_a_killed_receiver_has_left_is_to_be_removed() {
    far_host!(scene, sshd, "what_a_killed_receiver_has_left_is_to_be_removed");
    let (source, out) = (Trickle::of(&Backup::new(4, 1 << 20)), path(&scene, "out.xb"));
    let sender = sshd.sender(&scene, ["--retry-for", "0", "--peer-timeout", "1s", "-o", &out]).input(source.input());
    let sender = sender.start();
    sender.log().wait_for("sending to");
    scene.kill("xbrecv");
    sender.wait().expect_failure(3);
    let again = sshd.sender(&scene, ["-o", &out]).feed(&Backup::small()).start().wait();
    again.expect_failure(2).expect_said("remove the .partial and .partial.journal files beside it on the host");
    scene.expect_nobody_left();
}

#[test]
fn what_runs_after_the_commit_is_waited_for_and_judged() {
    far_host!(scene, sshd, "what_runs_after_the_commit_is_waited_for_and_judged");
    let (out, backup) = (path(&scene, "out.xb"), Backup::small());
    let sent = sshd.sender(&scene, ["-o", &out, "-M", "--then=echo done >&2; exit 5"]).feed(&backup).start().wait();
    sent.expect_failure(9).expect_said("db7: then: done").expect_said("the command of --then");
    assert!(scene.path("out.xb").exists(), "the copy is good");
    scene.expect_nobody_left();
}

#[test]
fn what_runs_after_the_commit_is_not_taken_for_done_when_ssh_ends() {
    far_host!(scene, sshd, "what_runs_after_the_commit_is_not_taken_for_done_when_ssh_ends");
    let then = format!("--then=echo begun >&2; while [ ! -e '{}' ]; do sleep 0.05; done", path(&scene, "go on"));
    let sender = sshd.sender(&scene, ["-o", &path(&scene, "out.xb"), "-M", &then]).feed(&Backup::small()).start();
    sender.log().wait_for("db7: then: begun");
    scene.kill("ssh");
    sender.wait().expect_failure(9).expect_said("has not said whether it has done what was to be done after that");
    scene.file("go on", "");
    scene.expect_nobody_left();
}

#[test]
fn a_check_leaves_nothing_and_nobody() {
    far_host!(scene, sshd, "a_check_leaves_nothing_and_nobody");
    let sent = sshd.sender(&scene, ["--check", "-o", &path(&scene, "out.xb"), "-i", "in.xb"]);
    scene.file("in.xb", Backup::small().stream());
    let sent = sent.start().wait();
    assert_eq!(sent.code, 0);
    sent.expect_said("check passed").expect_said("out.xb").expect_silence_on("db7: failed");
    scene.expect_nobody_left();
    assert!(!scene.path("out.xb").exists());
}

#[test]
fn the_key_is_in_no_command_line_and_no_environment() {
    far_host!(scene, sshd, "the_key_is_in_no_command_line_and_no_environment");
    let source = Trickle::of(&Backup::new(4, 1 << 20));
    let (out, then) = (path(&scene, "out.xb"), format!("--then=env > {}", path(&scene, "far.env")));
    let sender = sshd.sender(&scene, ["-v", "-o", &out, "-M", &then]).input(source.input()).start();
    sender.log().wait_for("sending to");
    for process in scene.living() {
        assert!(!process.contains("xb1-"), "{process}");
    }
    source.release();
    expect_sent(&scene, sender.wait().expect_silence_on("xb1-"));
    let environment = fs::read_to_string(scene.path("far.env")).unwrap();
    assert!(!environment.contains("XB_KEY") && !environment.contains("xb1-"), "{environment}");
}

#[test]
fn a_port_of_the_range_is_taken_over_there() {
    far_host!(scene, sshd, "a_port_of_the_range_is_taken_over_there");
    let port = scene.free_address().port();
    let (path_of, ports) = (program_path("xbrecv").display().to_string(), format!("{port}-{port}"));
    let words = ["--ssh", FAR_HOST, "--ssh-command", &sshd.command(), "--remote-path", &path_of, "--ports", &ports];
    let sent = scene.xbsend(words).args(["-o", &path(&scene, "out.xb")]).feed(&Backup::small()).start().wait();
    expect_sent(&scene, &sent);
    sent.expect_said(&format!("connected to 127.0.0.1:{port}"));
}

#[test]
fn ssh_asks_for_a_password_at_the_terminal() {
    let (scene, xbrecv) = (Scene::new(), program_path("xbrecv").display().to_string());
    scene.file("in.xb", Backup::small().stream());
    // As ssh does.
    let ask = "case $* in *-G*) ;; *) printf 'password: ' > /dev/tty; read -r word < /dev/tty; [ \"$word\" = secret ] || exit 255;; esac";
    let ssh = FakeSsh::that_does(&scene, ask).tool("ssh");
    let words = ["--ssh", FAR_HOST, "--ssh-command", &ssh, "--remote-path", &xbrecv, "-M", "--listen=127.0.0.1:0"];
    let sender = scene.xbsend(words).args(["-o", &path(&scene, "out.xb"), "-i", "in.xb"]);
    let mut sender = Terminal::start(&scene, sender);
    sender.screen().wait_for("password: ");
    sender.type_line("secret");
    expect_sent(&scene, &sender.wait());
}

#[test]
fn nobody_types_by_ssh() {
    let scene = Scene::new();
    let ended = scene.xbrecv(["--by-ssh"]).input(Input::Bytes(b"Last login: Monday\n".into())).start().wait();
    ended.expect_failure(4).expect_said("the standard input has no orders");
    let ended = Terminal::start(&scene, scene.xbrecv(["--by-ssh"])).wait();
    ended.expect_failure(2).expect_said("--by-ssh is for xbsend --ssh");
}

#[test]
fn a_cut_ssh_connection_ends_no_transfer() {
    let test = "a_cut_ssh_connection_ends_no_transfer";
    let Some(network) = NarrowPath::make(test, 1500, 1500) else { return };
    let scene = Scene::new();
    let Some(sshd) = Sshd::start_as(test, &scene, FAR, |program| network.far(program)) else { return };
    let source = Trickle::of(&Backup::new(4, 1 << 20));
    let sender = sshd.sender(&scene, ["-o", &path(&scene, "out.xb")]).input(source.input());
    let sender = network.near(sender).start();
    sender.log().wait_for("sending to");
    network.drop_tcp(sshd.port());
    source.release();
    sender.wait().expect_success().expect_said("xbrecv on db7 has not said how it ended");
    scene.expect_nobody_left();
    assert!(scene.path("out.xb.sha1").exists());
}
