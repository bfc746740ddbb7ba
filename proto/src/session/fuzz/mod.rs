//! Any course of events in a session, and what must hold in all of them.
//!
//! The bytes are read as a script: who plays, and then one step after another for both halves, their source, their sink and
//! the links between them.
//!
//! | module | owns |
//! |---|---|
//! | `script` | bytes as steps |
//! | `pair` | both halves and what is under way between them |
//! | `sink` | the receiver's process: drains, commit, restarts |
//! | `model` | what a lane's source has given, and what its sink has |
//! | `hostile` | what only a peer that lies would say |
//! | `judge` | what must hold |

mod hostile;
mod judge;
mod model;
mod pair;
mod script;
mod sink;

use pair::Pair;
use script::{Script, Step};

/// Plays `bytes` as a session, and then lets both halves come to an end. Nothing panics, the window is kept, and nobody
/// believes in a copy that is not there; an honest pair takes each other at its word, and ends with the same bytes.
///
/// # Panics
///
/// If one of these does not hold.
pub fn session(bytes: &[u8]) {
    let mut script = Script::new(bytes);
    let mut pair = Pair::new(script.cast(), script.lanes());
    while let Some(step) = script.step() {
        pair.play(step, &mut script);
        pair.judge();
    }
    pair.conclude();
}

impl Pair {
    fn play(&mut self, Step { kind, a, b }: Step, script: &mut Script<'_>) {
        match kind % 37 {
            0..=3 => self.push(a, script::size(b)),
            4 => self.push_many(a, b),
            5..=7 => self.send(a),
            8..=10 => self.arrive(a, b),
            11 => self.repeat(a),
            12 | 13 => self.drain(a, b),
            14 => self.take(a),
            15 => self.write(a, b),
            16 => self.sender_speaks(),
            17 => self.receiver_speaks(),
            18 => self.sender_hears(),
            19 => self.receiver_hears(),
            20 | 21 => self.talk(),
            22 => self.cut(a),
            23 => self.come(a),
            24 => self.end_source(a),
            25 => self.close_lane(a),
            26 if a < 128 => self.publish(),
            26 => self.commit(),
            27 => self.give_signs(a),
            28 => self.restart(a, b),
            29 => self.suffer(a),
            30 => self.lie_to_sender(script),
            32 => self.join(a),
            33 => self.lose_joined(a),
            34 | 35 => self.look(a),
            36 => self.allow(a, b),
            _ => self.lie_to_receiver(a, script),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    #[test]
    fn an_impostor_begins_the_session_anew_with_a_smaller_window() {
        let (come, talk, push) = ([23, 1, 0], [21, 0, 0], [0, 0, 255]);
        let (lose_everything, greet_as_the_sender) = ([28, 7, 0], [31, 0, 0, 0, 0, 0]);
        let begin = [[3, 0].as_slice(), &come, &talk, &push, &push, &push].concat();
        super::session(&[begin.as_slice(), &lose_everything, &greet_as_the_sender, &come, &talk].concat());
    }

    proptest! {
        #[test]
        fn any_script_is_some_session(script in prop::collection::vec(any::<u8>(), 0..1500)) {
            super::session(&script);
        }
    }
}
