"""The dashboard, the debug socket, secrets and what we depend on."""

from tests.docs.faults.catalogue import Fault, FaultSection

_APP = "tests/ops/dashboard/test_app.py"
_ACCESS = "tests/ops/dashboard/test_access.py"
_BROWSER = "tests/ops/dashboard/test_in_a_browser.py"

OUTSIDE_SURFACE = FaultSection(
    "What others can reach",
    (
        Fault(
            "F161",
            "Hundreds of onlookers, slow ones, and requests that never end.",
            tests=(
                "tests/ops/debug/test_server.py::test_a_hundred_clients_are_served_or_told_that_they_are_too_many_i85_i87",
                "tests/ops/debug/test_server.py::test_who_never_reads_is_dropped_i87",
                "tests/ops/debug/test_server.py::test_a_flood_of_questions_waits_but_a_halt_does_not_i87",
                "tests/ops/control/test_server.py::test_a_flood_of_questions_keeps_no_halt_and_no_flatten_waiting_i87",
                f"{_APP}::test_hundreds_that_say_nothing_are_turned_away_and_leave_room_at_once_i87",
                f"{_APP}::test_who_sends_half_a_request_is_cut_off_i87",
                f"{_APP}::test_a_hundred_thousand_headers_and_a_body_of_a_gigabyte_are_cut_off_i87",
                f"{_APP}::test_of_requests_one_after_the_other_only_the_first_is_answered",
                "tests/ops/dashboard/test_looking.py::test_however_many_look_the_engine_is_asked_once_and_by_nobody_that_does_not_i87",
            ),
            not_tested="How fast orders are sent meanwhile.",
        ),
        Fault(
            "F162",
            "A page names another host as its own.",
            tests=(
                f"{_ACCESS}::test_another_host_is_refused_even_with_the_key_i86",
                f"{_ACCESS}::test_a_host_that_is_missing_or_named_twice_is_refused_i86",
                f"{_APP}::test_a_page_elsewhere_gets_nothing_and_does_nothing_i86",
            ),
        ),
        Fault(
            "F163",
            "A page elsewhere sends its forms to ours.",
            tests=(
                f"{_ACCESS}::test_a_page_of_somebody_else_s_is_refused_even_with_the_key_i86",
                f"{_APP}::test_a_page_elsewhere_gets_nothing_and_does_nothing_i86",
                f"{_APP}::test_only_a_post_halts_i86",
                f"{_APP}::test_what_is_no_halt_halts_nothing",
            ),
        ),
        Fault(
            "F164",
            "A path leads out of its folder.",
            tests=(f"{_APP}::test_no_path_leads_to_anything_else_i86",),
        ),
        Fault(
            "F165",
            "Names and messages bring commands for a terminal or a page.",
            tests=(
                "tests/ops/test_live_view.py::test_text_from_outside_commands_no_terminal",
                "tests/venues/alpaca/test_websocket.py::test_words_of_an_end_command_no_terminal",
                "tests/venues/alpaca/test_data_stream.py::test_words_of_a_trading_status_command_no_terminal",
                "tests/venues/alpaca/test_trading_stream.py::test_words_of_a_late_rejection_command_no_terminal",
                "tests/ops/test_export.py::test_what_a_spreadsheet_would_take_for_a_formula_is_text",
                f"{_APP}::test_the_page_makes_no_markup_of_what_it_is_told_i86",
                f"{_BROWSER}::test_what_the_page_is_told_is_text_in_it_i86",
            ),
        ),
        Fault(
            "F166",
            "A token is wrong, missing, old or guessed.",
            tests=(
                "tests/ops/control/test_server.py::test_somebody_else_is_turned_away_and_changes_nothing_i85",
                "tests/ops/debug/test_server.py::test_a_foreign_peer_is_refused_i85",
                "tests/ops/debug/test_server.py::test_a_peer_that_the_kernel_does_not_know_is_refused_i85",
                f"{_ACCESS}::test_without_the_key_nothing_is_told_i86",
                f"{_ACCESS}::test_no_other_key_is_taken_i86",
                f"{_APP}::test_without_the_key_nothing_is_told_and_nothing_is_halted_i86",
                f"{_APP}::test_a_key_in_the_address_opens_nothing_i86",
                f"{_BROWSER}::test_a_tab_of_an_earlier_start_needs_the_new_link_i86",
            ),
            not_tested=(
                "The sockets have no token: the kernel says who is at the other end. The"
                " dashboard's key has 256 bits; tries are not paced but by the 64 connections that"
                " there may be at once."
            ),
        ),
        Fault(
            "F167",
            "The debug socket is fed anything: bytes, endless lines, deep values, many clients.",
            tests=(
                "tests/ops/debug/test_server.py::test_no_input_kills_the_server_i85",
                "tests/ops/debug/test_server.py::test_no_argument_kills_the_server_i85",
                "tests/ops/debug/test_server.py::test_a_line_without_end_is_cut_off_at_its_limit_i85",
                "tests/ops/debug/test_server.py::test_malformed_input_closes_that_client_only_i85",
                "tests/ops/debug/test_server.py::test_a_file_in_the_way_is_not_removed",
            ),
            not_tested="It is fuzzed by the thousand, not by the ten million.",
        ),
        Fault(
            "F168",
            "Whatever serves onlookers dies.",
            tests=(
                "tests/engine/test_onlookers.py::test_what_serves_onlookers_dies_and_trading_goes_on_and_a_kill_works_i12_i69",
                "tests/ops/test_kill_watch.py::test_the_thread_sees_a_file_that_appears_i07_i12",
                "tests/ops/debug/test_server.py::test_closing_drops_everyone_and_opening_begins_anew",
                "tests/ops/test_halt.py::test_without_a_control_socket_the_debug_socket_halts_i12",
            ),
        ),
        Fault(
            "F169",
            "A key would get into a traceback, an error, a list of variables, an argument.",
            tests=(
                "tests/settings/test_secret.py::test_a_traceback_with_all_its_variables_does_not_show_it_i83",
                "tests/store/test_redaction.py::test_a_journal_with_a_redactor_holds_no_secret_in_any_form_i83",
                "tests/venues/alpaca/test_http.py::test_no_text_that_leaves_the_client_has_a_key_in_it_i83",
                "tests/venues/alpaca/test_venue.py::test_what_the_adapter_shows_has_no_key_in_it_i83",
                "tests/runtime/test_recorder.py::test_a_secret_in_what_a_library_says_is_in_no_recording_i83",
            ),
            not_tested=(
                "What the operating system shows of a process's environment: keys that are given"
                " there can be read by its user; .env is the way to avoid it."
            ),
        ),
        Fault(
            "F170",
            "The file of the keys can be read by others, is not ours, a link, or odd.",
            tests=(
                "tests/settings/test_secrets.py::test_a_file_that_others_may_touch_is_refused_with_the_command_that_mends_it_i84",
                "tests/settings/test_secrets.py::test_a_file_of_somebody_else_is_refused_i84",
                "tests/settings/test_secrets.py::test_a_link_a_folder_and_a_pipe_are_no_files_of_ours_i84",
                "tests/settings/test_secrets.py::test_a_line_that_cannot_be_meant_is_refused_by_its_number_i83",
                "tests/settings/test_secrets.py::test_a_file_that_is_no_text_is_refused",
            ),
        ),
        Fault(
            "F171",
            "What is installed is not what was locked.",
            tests=(
                "tests/deploy/test_locks.py::test_a_package_that_was_tampered_with_is_not_installed_i88",
                "tests/deploy/test_locks.py::test_every_package_is_locked_to_one_version_and_its_hashes_i88",
                "tests/ops/test_installed.py::test_an_engine_does_not_start_on_what_nobody_tried_i88",
                "tests/store/test_ledger_faults.py::test_a_sqlite_that_can_lose_commits_is_refused_i51",
                "tests/venues/alpaca/test_network.py::test_a_urllib3_that_opens_its_sockets_elsewhere_is_not_used_i83",
            ),
        ),
        Fault(
            "F172",
            "Whoever is to be alarmed does not listen, is slow, or refuses.",
            tests=(
                "tests/ops/test_heard.py::test_a_run_whose_pipe_is_full_trades_and_ends_as_ever",
                "tests/ops/test_heard.py::test_who_does_not_read_is_waited_for_once_and_hears_it_later",
                "tests/ops/test_run.py::test_that_nobody_reads_what_it_says_does_not_disturb_it",
                "tests/ops/test_notify.py::test_a_manager_that_does_not_read_holds_nobody_up_i77",
                "tests/ops/test_watching.py::test_an_alarm_is_said_and_halts_nothing_i65",
                "tests/ops/alerts/test_watcher.py::test_what_a_channel_refuses_comes_later_in_one_message_and_nothing_is_lost_i89",
                "tests/ops/alerts/test_watcher.py::test_a_channel_that_fails_is_told_of_on_the_others_i89",
                "tests/ops/alerts/test_watcher.py::test_a_channel_that_hangs_holds_up_neither_the_others_nor_the_looks_i89",
                "tests/ops/alerts/test_watcher.py::test_a_full_disk_keeps_nobody_from_being_told_and_is_told_itself_i89",
            ),
        ),
    ),
)
