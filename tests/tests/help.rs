//! What the programs say about themselves. What the README says about them is held to it in `readme.rs`.

use xbproto::cli::EXIT_CODES;
use xbtests::Scene;

#[test]
fn the_help_has_the_table_of_exit_codes() {
    let scene = Scene::new();
    for program in [scene.xbsend(["--help"]), scene.xbrecv(["--help"])] {
        let help = String::from_utf8(program.start().wait().stdout).expect("UTF-8");
        for (code, _, meaning) in EXIT_CODES {
            assert!(help.contains(&format!("{code:>5}  {meaning}")), "{code} is missing in {help}");
        }
    }
}

#[test]
fn every_program_tells_its_version() {
    let scene = Scene::new();
    for (program, name) in [(scene.xbsend(["--version"]), "xbsend"), (scene.xbrecv(["--version"]), "xbrecv")] {
        let ended = program.start().wait();
        assert_eq!(String::from_utf8_lossy(&ended.stdout).trim_end(), format!("{name} {}", env!("CARGO_PKG_VERSION")));
    }
}
