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
fn a_proctor_is_confined_to_their_room_by_the_table() {
    script::check("rooms.txt", include_str!("tables/rooms.txt"));
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
fn one_candidate_of_a_room_may_be_out_by_the_table() {
    script::check("leave.txt", include_str!("tables/leave.txt"));
}

#[test]
fn a_candidate_moves_to_a_spare_machine_by_the_table() {
    script::check("swap.txt", include_str!("tables/swap.txt"));
}

#[test]
fn lost_time_is_proposed_and_decided_by_the_table() {
    script::check("lost_time.txt", include_str!("tables/lost_time.txt"));
}

#[test]
fn candidates_are_checked_denied_and_recorded_absent_by_the_table() {
    script::check("entry.txt", include_str!("tables/entry.txt"));
}

#[test]
fn an_attempt_is_ended_and_opened_again_by_the_table() {
    script::check("terminate.txt", include_str!("tables/terminate.txt"));
}

#[test]
fn early_hand_in_takes_consent_by_the_table() {
    script::check("consent.txt", include_str!("tables/consent.txt"));
}

#[test]
fn what_happens_is_recorded_signed_and_reported_by_the_table() {
    script::check("incident.txt", include_str!("tables/incident.txt"));
}

#[test]
fn what_the_system_finds_is_judged_by_people_by_the_table() {
    script::check("finding.txt", include_str!("tables/finding.txt"));
}

#[test]
fn a_room_is_sealed_and_the_seal_breaks_by_the_table() {
    script::check("seal.txt", include_str!("tables/seal.txt"));
}

#[test]
fn the_check_list_falls_due_and_is_ticked_by_the_table() {
    script::check("checklist.txt", include_str!("tables/checklist.txt"));
}

#[test]
fn a_backup_paper_takes_the_place_of_the_planned_one_by_the_table() {
    script::check("backup_paper.txt", include_str!("tables/backup_paper.txt"));
}

#[test]
fn a_mock_sitting_is_repeatable_and_apart_by_the_table() {
    script::check("mock.txt", include_str!("tables/mock.txt"));
}

#[test]
fn hq_hears_through_one_queue_by_the_table() {
    script::check("report.txt", include_str!("tables/report.txt"));
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
fn a_power_cut_ends_nothing_by_itself_by_the_table() {
    script::check("power_cut.txt", include_str!("tables/power_cut.txt"));
}

#[test]
fn a_sitting_is_called_off_before_it_begins_by_the_table() {
    script::check("call_off.txt", include_str!("tables/call_off.txt"));
}

#[test]
fn a_machine_s_own_account_is_proposed_and_never_granted_by_the_table() {
    script::check("unable.txt", include_str!("tables/unable.txt"));
}

#[test]
#[should_panic(expected = "line 2")]
fn a_table_that_is_wrong_fails_at_its_line() {
    script::check("control", "08:00:00 package 90m automatic -> ok\n08:00:00 door opens -> refused seat_unknown\n");
}
