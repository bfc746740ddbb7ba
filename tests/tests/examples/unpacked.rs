//! Examples whose backup becomes a data directory while it arrives.

use xbtests::FifoTool;

use super::example::{Example, owner};

#[test]
fn a_replica_is_unpacked_and_prepared() {
    let example = Example::new("replica");
    example.run(&[("TARGET", "mysql"), ("OWNER", &owner())]);
    example.expect_prepared("mysql");
}

#[test]
fn parallel_streams_become_one_directory() {
    let example = Example::new("parallel");
    for (index, stream) in example.backup.streams::<3>().iter().enumerate() {
        example.scene.file(&format!("stream.{index}"), stream);
    }
    FifoTool::new().install(&example.scene, "xtrabackup");
    example.run(&[("TARGET", "mysql"), ("STREAMS", "3"), ("THREADS", "2")]);
    example.backup.expect_in(&example.scene.path("mysql"));
}
