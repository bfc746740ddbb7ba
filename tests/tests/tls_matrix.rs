//! Whom both programs trust and whom they do not, with certificates, with the key, and with both: the right exit code, and
//! on each side a message that names the file, the reason, and the command that shows it.

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::path::Path;
use std::time::Duration;

use rcgen::ExtendedKeyUsagePurpose;
use rustix::process::Signal;
use xbproto::link::{LinkError, TurnedAway};
use xbproto::tls::{Credentials, Fingerprint, PemFile, PemUse, Trust};
use xbproto::wire::VERSIONS;
use xbtests::certificates::{Authority, Certificate, Wanted, like_mysql};
use xbtests::{Backup, Ended, Injection, Program, Relay, Rogue, Running, Scene};

/// Which of the two programs dials.
#[derive(Clone, Copy, Debug)]
enum Dials {
    Sender,
    Receiver,
}

/// Both ways round: who dials and who sends are two things.
const EITHER: [Dials; 2] = [Dials::Sender, Dials::Receiver];

/// A program that listens for one of the other kind, without a key.
struct Listening<'a> {
    scene: &'a Scene,
    dials: Dials,
    running: Running,
}

impl<'a> Listening<'a> {
    fn new(scene: &'a Scene, dials: Dials, options: &[&str]) -> Listening<'a> {
        Listening::started(scene, dials, listener(scene, dials).without_key(), options)
    }

    fn with_the_key(scene: &'a Scene, dials: Dials, options: &[&str]) -> Listening<'a> {
        Listening::started(scene, dials, listener(scene, dials), options)
    }

    fn started(scene: &'a Scene, dials: Dials, program: Program, options: &[&str]) -> Listening<'a> {
        Listening { scene, dials, running: program.args(options).start() }
    }

    fn address(&self) -> SocketAddr {
        self.running.listening()
    }

    /// What becomes of the other program when it dials with these options, without a key.
    fn dialled(&self, options: &[&str]) -> Ended {
        dialer(self.scene, self.dials, &self.running.address()).without_key().args(options).start().wait()
    }

    /// The same with the key.
    fn dialled_with_the_key(&self, options: &[&str]) -> Ended {
        dialer(self.scene, self.dials, &self.running.address()).args(options).start().wait()
    }

    /// It has told of somebody that it turned away, and all of this.
    fn expect_turned_away(&self, parts: &[&str]) -> &Self {
        let line = self.running.log().wait_for_line("turned away");
        parts.iter().for_each(|part| assert!(line.contains(part), "{line:?} without {part:?}"));
        self
    }

    /// It still waits: the right one can come.
    fn expect_success_with(self, options: &[&str]) {
        self.dialled(options).expect_success();
        self.running.wait().expect_success();
        assert!(fs::read(self.scene.path("out.xb")).expect("stored") == Backup::small().stream());
    }

    /// It still waits, and ends when it is told to, with nothing taken.
    fn end(self) {
        self.running.signal(Signal::TERM);
        self.running.wait().expect_failure(143);
        assert!(!self.scene.path("out.xb").exists());
    }
}

/// The program that listens.
fn listener(scene: &Scene, dials: Dials) -> Program {
    match dials {
        Dials::Sender => scene.receiver(["-o", "out.xb"]),
        Dials::Receiver => scene.xbsend(["--listen", "127.0.0.1:0"]).feed(&Backup::small()),
    }
}

/// The program that dials.
fn dialer(scene: &Scene, dials: Dials, address: &str) -> Program {
    match dials {
        Dials::Sender => scene.sender(address, []).feed(&Backup::small()),
        Dials::Receiver => scene.xbrecv(["--connect", address, "-o", "out.xb"]),
    }
}

/// The options of one side: whom it trusts, and what it shows.
fn options<'a>(authority: &'a Authority, shown: &'a Certificate) -> Vec<&'a str> {
    [&["--ssl-ca", authority.file.as_str()][..], &shown.options()].concat()
}

/// An authority and one certificate for each side.
fn pair(scene: &Scene) -> (Authority, Certificate, Certificate) {
    let authority = Authority::new(scene, "ca");
    let (ours, theirs) = (authority.sign("db1"), authority.sign("db2"));
    (authority, ours, theirs)
}

/// `openssl x509 -in FILE -noout` and these arguments.
fn command(file: &str, arguments: &str) -> String {
    format!("openssl x509 -in {file} -noout {arguments}")
}

fn joined<'a>(options: &[&'a str], more: &[&'a str]) -> Vec<&'a str> {
    [options, more].concat()
}

#[test]
fn the_certificates_that_mysql_makes_are_enough() {
    for dials in EITHER {
        let scene = Scene::new();
        let [server, client] = like_mysql(scene.folder());
        let ca = scene.path("ca.pem").display().to_string();
        let with = |shown: &Certificate| {
            ["--ssl-ca", &ca].iter().chain(&shown.options()).map(|word| word.to_string()).collect::<Vec<_>>()
        };
        let (listens, dialling) = (with(&server), with(&client));
        let words: Vec<&str> = listens.iter().map(String::as_str).collect();
        let listening = Listening::new(&scene, dials, &words);
        let words: Vec<&str> = dialling.iter().map(String::as_str).collect();
        listening.expect_success_with(&words);
    }
}

#[test]
fn one_certificate_for_both_sides_is_enough() {
    let scene = Scene::new();
    let authority = Authority::new(&scene, "ca");
    let wanted = Wanted { purposes: vec![ExtendedKeyUsagePurpose::ServerAuth], ..Wanted::default() };
    let server = authority.sign_one("server", &wanted);
    let options = options(&authority, &server);
    Listening::new(&scene, Dials::Sender, &options).expect_success_with(&options);
}

#[test]
fn whoever_dials_refuses_the_certificate_of_another_authority() {
    for dials in EITHER {
        let scene = Scene::new();
        let (authority, ours, theirs) = pair(&scene);
        let other = Authority::new(&scene, "other");
        let listening = Listening::new(&scene, dials, &options(&authority, &ours));
        let ended = listening.dialled(&options(&other, &theirs));
        ended.expect_failure(4).expect_said("subject CN=db1, issuer CN=ca, valid from 2020-01-01 00:00:00 to 2120");
        ended.expect_said(&format!("no certificate in {} (--ssl-ca) has signed it", other.file));
        ended.expect_said(&command(&other.file, "-subject"));
        listening.expect_turned_away(&[&ours.file, "unknown_ca", &command(&ours.file, "-issuer")]);
        listening.expect_success_with(&options(&authority, &theirs));
    }
}

#[test]
fn whoever_listens_refuses_the_certificate_of_another_authority() {
    for dials in EITHER {
        let scene = Scene::new();
        let (authority, ours, theirs) = pair(&scene);
        let stranger = Authority::new(&scene, "other").sign("stranger");
        let listening = Listening::new(&scene, dials, &options(&authority, &ours));
        let ended = listening.dialled(&options(&authority, &stranger));
        ended.expect_failure(4).expect_said("unknown_ca").expect_said(&command(&stranger.file, "-issuer"));
        listening.expect_turned_away(&["CN=stranger", "no certificate in", &command(&authority.file, "-subject")]);
        listening.expect_success_with(&options(&authority, &theirs));
    }
}

#[test]
fn authorities_of_one_name_are_told_apart() {
    let scene = Scene::new();
    let [first, second] = ["one", "two"].map(|name| Authority::called(&scene, name, "MySQL_Auto_Generated_CA"));
    let (ours, theirs) = (first.sign("db1"), second.sign("db2"));
    let listening = Listening::new(&scene, Dials::Sender, &options(&first, &ours));
    let ended = listening.dialled(&options(&second, &theirs));
    ended.expect_failure(4).expect_said("another authority of the same name").expect_said(&second.file);
    listening.end();
}

#[test]
fn an_expired_certificate_of_this_side_is_wrong_usage() {
    let scene = Scene::new();
    let authority = Authority::new(&scene, "ca");
    let expired = authority.sign_one("expired", &Wanted { expired: true, ..Wanted::default() });
    expect_usage(
        &scene,
        &options(&authority, &expired),
        &[
            &format!("--ssl-cert {}: ", expired.file),
            "has expired: it was valid from 2020-01-01 00:00:00 to 2021-01-01 00:00:00 UTC",
            &command(&expired.file, "-dates"),
        ],
    );
}

#[test]
fn an_expired_certificate_of_the_other_side_is_refused() {
    let scene = Scene::new();
    let (authority, ours, theirs) = pair(&scene);
    let expired = authority.sign_one("expired", &Wanted { expired: true, ..Wanted::default() });
    let credentials = out_of_date(&expired, &ours);
    let listening = Listening::new(&scene, Dials::Sender, &options(&authority, &ours));
    let refused = Rogue::dialer().knock_with(listening.address(), &credentials, VERSIONS).expect_err("refused");
    assert!(matches!(refused, LinkError::Distrusted(_)), "{refused}");
    assert!(refused.to_string().contains("certificate_expired"), "{refused}");
    listening.expect_turned_away(&["CN=expired", "to 2021-01-01", "it has expired", "-noout -dates"]);
    listening.expect_success_with(&options(&authority, &theirs));

    let rogue = Rogue::listener_with(credentials.clone());
    let sender = scene.sender(&rogue.address().to_string(), []).without_key().args(options(&authority, &ours));
    let sender = sender.feed(&Backup::small()).start();
    let refused = rogue.admit_with(&credentials, VERSIONS).expect_err("refused");
    assert!(matches!(refused, TurnedAway::NotAPeer(LinkError::Distrusted(_))), "{refused}");
    sender.wait().expect_failure(4).expect_said("CN=expired").expect_said("it has expired");
}

/// Credentials with a certificate whose time is over, which this program's own options would refuse.
fn out_of_date(expired: &Certificate, peer: &Certificate) -> Credentials {
    let then = rustls::pki_types::UnixTime::since_unix_epoch(Duration::from_secs(1_590_000_000));
    let key = PemFile::new(PemUse::Key, Path::new(&expired.key));
    let identity = PemFile::new(PemUse::Certificate, Path::new(&expired.file)).identity(&key, then);
    let pin: Fingerprint = peer.fingerprint().parse().expect("as openssl prints it");
    Credentials::certificates(identity.expect("valid in 2020"), Trust::new(None, vec![pin]).expect("a pin"))
}

#[test]
fn a_private_key_of_another_certificate_is_wrong_usage() {
    let scene = Scene::new();
    let (authority, ours, theirs) = pair(&scene);
    let mixed = Certificate { file: ours.file.clone(), key: theirs.key.clone() };
    let says = [&format!("--ssl-key {}: ", theirs.key), &format!("not that of {}", ours.file), "openssl pkey -in"];
    expect_usage(&scene, &options(&authority, &mixed), &says);
}

#[test]
fn a_private_key_that_may_not_be_read_is_wrong_usage() {
    let scene = Scene::new();
    let (authority, ours, _) = pair(&scene);
    for program in both(&scene) {
        let program = program.without_key().args(options(&authority, &ours));
        let unreadable = Injection::error("openat", "EACCES").on(&ours.key);
        let Some(program) = unreadable.into("a_private_key_that_may_not_be_read_is_wrong_usage", program) else {
            return;
        };
        let ended = program.start().wait();
        ended.expect_failure(2).expect_said(&format!("--ssl-key {}: Permission denied", ours.key));
        ended.expect_said(&format!("ls -l {}", ours.key));
    }
}

#[test]
fn files_that_will_not_do_are_named_before_anybody_is_contacted() {
    let scene = Scene::new();
    let (authority, ours, _) = pair(&scene);
    let missing = Certificate { file: ours.file.clone(), key: "missing.pem".to_owned() };
    expect_usage(&scene, &options(&authority, &missing), &["--ssl-key missing.pem: No such file", "ls -l missing.pem"]);
    let exchanged = Certificate { file: ours.key.clone(), key: ours.file.clone() };
    expect_usage(&scene, &options(&authority, &exchanged), &[&format!("--ssl-cert {}: ", ours.key), "exchanged?"]);
    scene.file("empty.pem", "");
    expect_usage(
        &scene,
        &joined(&["--ssl-ca", "empty.pem"], &ours.options()),
        &["--ssl-ca empty.pem: the file is empty"],
    );
    expect_usage(&scene, &ours.options(), &["not whom it trusts", "--ssl-ca", "--fingerprint"]);
    expect_usage(&scene, &["--ssl-ca", &authority.file], &["without a key", "--ssl-cert"]);
    expect_usage(&scene, &["--ssl-mode", "REQUIRED"], &["REQUIRED", "without knowing the other side"]);
    expect_usage(&scene, &["--fingerprint", "SHA1:00"], &["--fingerprint", "SHA256:"]);
}

/// Both programs end as wrong usage with these options and without a key, and say all of this.
fn expect_usage(scene: &Scene, options: &[&str], says: &[&str]) {
    for program in both(scene) {
        let ended = program.without_key().args(options).start().wait();
        ended.expect_failure(2);
        says.iter().for_each(|part| {
            ended.expect_said(part);
        });
    }
}

fn both(scene: &Scene) -> [Program; 2] {
    let nobody = scene.free_address().to_string();
    [scene.receiver(["-o", "out.xb"]), scene.sender(&nobody, []).feed(&Backup::small())]
}

#[test]
fn a_peer_without_a_certificate_is_refused() {
    for dials in EITHER {
        let scene = Scene::new();
        let (authority, ours, _) = pair(&scene);
        let listening = Listening::with_the_key(&scene, dials, &options(&authority, &ours));
        let ended = listening.dialled_with_the_key(&[]);
        ended.expect_failure(4).expect_said("certificate_required").expect_said("use --ssl-cert and --ssl-key");
        listening.expect_turned_away(&["shows no certificate", "--ssl-ca"]);
        listening.end();
    }
}

#[test]
fn a_listener_without_a_certificate_is_refused() {
    for dials in EITHER {
        let scene = Scene::new();
        let (authority, _, theirs) = pair(&scene);
        let listening = Listening::with_the_key(&scene, dials, &[]);
        let ended = listening.dialled_with_the_key(&options(&authority, &theirs));
        ended.expect_failure(4).expect_said("made for this occasion").expect_said("--ssl-cert and --ssl-key");
        listening.expect_turned_away(&["this side was given none", "--ssl-cert and --ssl-key"]);
        listening.end();
    }
}

#[test]
fn the_name_that_was_dialled_counts_where_that_is_asked_for() {
    for dials in EITHER {
        let scene = Scene::new();
        let authority = Authority::new(&scene, "ca");
        let named = |name: &str, names: &[&str]| {
            let names = names.iter().map(|name| (*name).to_owned()).collect();
            authority.sign_one(name, &Wanted { names, ..Wanted::default() })
        };
        let (elsewhere, here) = (named("db9", &["db9.example.com", "10.9.9.9"]), named("here", &["127.0.0.1"]));
        let theirs = authority.sign("db2");
        let identity = joined(&options(&authority, &theirs), &["--ssl-mode", "verify_identity"]);
        let listening = Listening::new(&scene, dials, &options(&authority, &elsewhere));
        let ended = listening.dialled(&identity);
        ended.expect_failure(4).expect_said("it is for db9.example.com, 10.9.9.9 and not for 127.0.0.1");
        ended.expect_said("-ext subjectAltName");
        listening.expect_turned_away(&["bad_certificate", &command(&elsewhere.file, "-subject -ext subjectAltName")]);
        listening.end();
        Listening::new(&scene, dials, &joined(&options(&authority, &here), &["--ssl-mode", "VERIFY_IDENTITY"]))
            .expect_success_with(&identity);
    }
}

#[test]
fn pinned_certificates_need_no_authority() {
    for dials in EITHER {
        let scene = Scene::new();
        let [ours, theirs, other] = ["db1", "db2", "db3"].map(|name| Certificate::self_signed(&scene, name));
        let [ours_pin, theirs_pin, other_pin] = [&ours, &theirs, &other].map(Certificate::fingerprint);
        let mode = ["--ssl-mode", "PINNED"];
        let pinned = joined(&["--fingerprint", &other_pin, "--fingerprint", &theirs_pin], &ours.options());
        let listening = Listening::new(&scene, dials, &joined(&pinned, &mode));
        let ended = listening.dialled(&joined(&["--fingerprint", &other_pin], &theirs.options()));
        ended.expect_failure(4).expect_said("CN=db1").expect_said("its fingerprint is not SHA256:");
        listening.expect_turned_away(&["access_denied", &ours.file, "-fingerprint -sha256"]);
        listening.expect_success_with(&joined(&["--fingerprint", &ours_pin], &theirs.options()));
    }
}

#[test]
fn what_is_not_pinned_is_refused_by_whoever_listens() {
    let scene = Scene::new();
    let [ours, theirs, other] = ["db1", "db2", "db3"].map(|name| Certificate::self_signed(&scene, name));
    let [ours_pin, theirs_pin] = [&ours, &theirs].map(Certificate::fingerprint);
    let listening = Listening::new(&scene, Dials::Sender, &joined(&["--fingerprint", &theirs_pin], &ours.options()));
    let ended = listening.dialled(&joined(&["--fingerprint", &ours_pin], &other.options()));
    ended.expect_failure(4).expect_said("access_denied").expect_said(&command(&other.file, "-fingerprint -sha256"));
    listening.expect_turned_away(&["CN=db3", "its fingerprint is not SHA256:"]).running.signal(Signal::TERM);
}

#[test]
fn a_self_signed_certificate_is_trusted_where_it_is_the_authority() {
    let scene = Scene::new();
    let [ours, theirs] = ["db1", "db2"].map(|name| Certificate::self_signed(&scene, name));
    let trusting = |peer: &'_ Certificate| ["--ssl-ca".to_owned(), peer.file.clone()];
    let (to_theirs, to_ours) = (trusting(&theirs), trusting(&ours));
    let words = |trust: &'_ [String; 2]| [trust[0].clone(), trust[1].clone()];
    let (listens, dialling) = (words(&to_theirs), words(&to_ours));
    let listening = Listening::new(&scene, Dials::Sender, &joined(&[&listens[0], &listens[1]], &ours.options()));
    listening.expect_success_with(&joined(&[&dialling[0], &dialling[1]], &theirs.options()));
}

#[test]
fn a_wrong_key_is_refused_whatever_the_certificates() {
    for dials in EITHER {
        let scene = Scene::new();
        let (authority, ours, theirs) = pair(&scene);
        let listening = Listening::with_the_key(&scene, dials, &options(&authority, &ours));
        let dialer = dialer(&scene, dials, &listening.running.address()).env("XB_KEY", Scene::new().key().reveal());
        dialer.args(options(&authority, &theirs)).start().wait().expect_failure(4).expect_said("the key is not the");
        listening.expect_turned_away(&["the key is not the one this side has"]);
        listening.end();
    }
}

#[test]
fn key_and_certificates_together_are_enough() {
    for dials in EITHER {
        let scene = Scene::new();
        let (authority, ours, theirs) = pair(&scene);
        let listening = Listening::with_the_key(&scene, dials, &options(&authority, &ours));
        listening.dialled_with_the_key(&options(&authority, &theirs)).expect_success();
        listening.running.wait().expect_success();
    }
}

#[test]
fn a_key_on_one_side_only_is_refused() {
    for dials in EITHER {
        let scene = Scene::new();
        let (authority, ours, theirs) = pair(&scene);
        let listening = Listening::with_the_key(&scene, dials, &options(&authority, &ours));
        listening
            .dialled(&options(&authority, &theirs))
            .expect_failure(4)
            .expect_said("only one of the two sides has a key");
        listening.expect_turned_away(&["it has no key, and this side has one", "--key-file or XB_KEY"]);
        listening.end();
        let listening = Listening::new(&scene, dials, &options(&authority, &ours));
        let ended = listening.dialled_with_the_key(&options(&authority, &theirs));
        ended.expect_failure(4).expect_said("only one of the two sides has a key");
        listening.expect_turned_away(&["it has a key, and this side has none"]);
        listening.expect_success_with(&options(&authority, &theirs));
    }
}

#[test]
fn waiting_with_nobody_but_the_distrusted_ends_as_refused() {
    for dials in EITHER {
        let scene = Scene::new();
        let (authority, ours, _) = pair(&scene);
        let stranger = Authority::new(&scene, "other").sign("stranger");
        let wait = joined(&options(&authority, &ours), &["--wait", "3s"]);
        let listening = Listening::new(&scene, dials, &wait);
        listening.dialled(&options(&authority, &stranger)).expect_failure(4);
        listening
            .running
            .wait()
            .expect_failure(4)
            .expect_said("CN=stranger")
            .expect_said("could be trusted within 3.0 s");
        assert!(!scene.path("out.xb").exists());
    }
}

#[test]
fn a_man_in_the_middle_with_another_certificate_gets_nothing() {
    for dials in EITHER {
        let scene = Scene::new();
        let (authority, ours, theirs) = pair(&scene);
        // He has called his authority as the right one is called, and knows everything that is no secret.
        let middle = Authority::called(&scene, "middle", "ca").sign("db1-of-the-middle");
        let of_the_middle = options(&authority, &middle);
        let victim = Listening::new(&scene, dials, &options(&authority, &ours));
        let away = Scene::new();
        let trap = Listening::new(&away, dials, &of_the_middle);
        // One side dials him, and he dials the other.
        let ended = trap.dialled(&options(&authority, &theirs));
        ended.expect_failure(4).expect_said("another authority of the same name").expect_said(&authority.file);
        trap.end();
        victim.dialled(&of_the_middle).expect_failure(4).expect_said("unknown_ca");
        victim.expect_turned_away(&["db1-of-the-middle", "another authority of the same name", &authority.file]);
        victim.expect_success_with(&options(&authority, &theirs));
    }
}

#[test]
fn a_handshake_that_is_sent_again_gets_nothing() {
    let scene = Scene::new();
    let (authority, ours, theirs) = pair(&scene);
    let listening = Listening::with_the_key(&scene, Dials::Sender, &options(&authority, &ours));
    let relay = Relay::to(listening.address());
    let check = scene.sender(&relay.address(), ["--check", "-i", "in.xb"]).args(options(&authority, &theirs));
    scene.file("in.xb", Backup::small().stream());
    assert_eq!(check.start().wait().code, 0);
    listening.running.log().wait_for("checked by");
    let tape = relay.tape();
    assert!(tape.len() > 4, "a handshake, proofs and a greeting are more than {} datagrams", tape.len());
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a socket");
    for datagram in &tape {
        socket.send_to(datagram, listening.address()).expect("sent");
    }
    // At most the listener begins a handshake, for anybody may knock, and gets no further: its keys are new.
    listening.dialled_with_the_key(&options(&authority, &theirs)).expect_success();
    let ended = listening.running.wait();
    ended.expect_success();
    assert_eq!(ended.log.matches("checked by").count(), 1, "{}", ended.log);
    assert!(fs::read(scene.path("out.xb")).expect("stored") == Backup::small().stream());
}

#[test]
fn over_tcp_certificates_are_judged_alike() {
    let scene = Scene::new();
    let (authority, ours, theirs) = pair(&scene);
    let other = Authority::new(&scene, "other");
    let stranger = other.sign("stranger");
    let tcp = ["--transport", "tcp"];
    let listening = Listening::new(&scene, Dials::Sender, &options(&authority, &ours));
    let ended = listening.dialled(&joined(&options(&other, &theirs), &tcp));
    ended.expect_failure(4).expect_said(&format!("no certificate in {} (--ssl-ca) has signed it", other.file));
    let ended = listening.dialled(&joined(&options(&authority, &stranger), &tcp));
    ended.expect_failure(4).expect_said("unknown_ca").expect_said(&command(&stranger.file, "-issuer"));
    listening.expect_turned_away(&[&ours.file, "unknown_ca", &command(&ours.file, "-issuer")]);
    listening.expect_success_with(&joined(&options(&authority, &theirs), &tcp));
}

#[test]
fn over_tcp_a_peer_without_a_certificate_is_refused() {
    for dials in EITHER {
        let scene = Scene::new();
        let (authority, ours, _) = pair(&scene);
        let listening = Listening::with_the_key(&scene, dials, &options(&authority, &ours));
        let ended = listening.dialled_with_the_key(&["--transport", "tcp"]);
        ended.expect_failure(4).expect_said("certificate_required").expect_said("use --ssl-cert and --ssl-key");
        listening.expect_turned_away(&["shows no certificate", "--ssl-ca"]);
        listening.end();
    }
}

/// Whoever speaks plain text to the TCP port gets nothing, and the listener says what it was.
#[test]
fn a_plain_tcp_client_gets_nothing() {
    let scene = Scene::new();
    let (authority, ours, theirs) = pair(&scene);
    let listening = Listening::new(&scene, Dials::Sender, &options(&authority, &ours));
    let mut stream = TcpStream::connect(listening.address()).expect("a TCP port of the same number");
    stream.set_read_timeout(Some(Duration::from_secs(30))).expect("a timeout");
    stream.write_all(&Backup::small().stream()[..4096]).expect("written");
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    assert_eq!(answer, b"");
    listening.expect_turned_away(&["does not speak TLS", "use xbsend for that"]);
    listening.expect_success_with(&options(&authority, &theirs));
}

#[test]
fn openssl_s_client_gets_nothing() {
    let scene = Scene::new();
    let (authority, ours, theirs) = pair(&scene);
    let listening = Listening::new(&scene, Dials::Sender, &options(&authority, &ours));
    let connect = ["s_client", "-connect", &listening.running.address(), "-CAfile", &authority.file];
    let without = scene.program("openssl", "openssl").args(connect).start().wait();
    assert!(!without.log.contains("xbrecv"), "{}", without.log);
    listening.expect_turned_away(&["shows no certificate"]);
    // The right certificate alone is not the protocol.
    let shown = ["-cert", &theirs.file, "-key", &theirs.key];
    let stranger = scene.program("openssl", "openssl").args(connect).args(shown).start().wait();
    assert!(!stranger.log.contains("xbrecv"), "{}", stranger.log);
    listening.expect_success_with(&options(&authority, &theirs));
}
