//! The rules as tables an examiner could read; each file is one subject.

mod script;

#[test]
fn machines_enrol_and_take_desks_by_the_table() {
    script::check("enrolment.txt", include_str!("tables/enrolment.txt"));
}

#[test]
fn candidates_sign_in_by_the_table() {
    script::check("sign_in.txt", include_str!("tables/sign_in.txt"));
}

#[test]
fn a_sitting_runs_its_course_by_the_table() {
    script::check("course.txt", include_str!("tables/course.txt"));
}

#[test]
fn answers_are_applied_once_by_the_table() {
    script::check("answers.txt", include_str!("tables/answers.txt"));
}

#[test]
fn hand_in_opens_and_closes_by_the_table() {
    script::check("hand_in.txt", include_str!("tables/hand_in.txt"));
}

#[test]
fn packages_come_in_by_the_table() {
    script::check("package.txt", include_str!("tables/package.txt"));
}

#[test]
fn people_act_within_their_roles_by_the_table() {
    script::check("people.txt", include_str!("tables/people.txt"));
}

#[test]
fn the_clock_stands_still_and_runs_by_the_table() {
    script::check("pause.txt", include_str!("tables/pause.txt"));
}

#[test]
fn time_is_granted_by_the_table() {
    script::check("extension.txt", include_str!("tables/extension.txt"));
}

#[test]
fn hands_wait_in_line_by_the_table() {
    script::check("hand.txt", include_str!("tables/hand.txt"));
}

#[test]
fn messages_reach_seats_by_the_table() {
    script::check("message.txt", include_str!("tables/message.txt"));
}

#[test]
fn inspectors_visit_rooms_by_the_table() {
    script::check("visit.txt", include_str!("tables/visit.txt"));
}

#[test]
#[should_panic(expected = "line 2")]
fn a_table_that_is_wrong_fails_at_its_line() {
    script::check("control", "08:00:00 package 90m automatic -> ok\n08:00:00 door opens -> refused seat_unknown\n");
}
