//! What Dynatrace's operator does, and where it is wrong, each a test: here, in `tests/egress`, against a real server, or in `tests/e2e`, on a
//! real control plane, too.
//!
//! | of the original | test |
//! |---|---|
//! | the API URL before anything else | `the_way_to_the_api_is_opened_before_the_api_is_asked` |
//! | … another one, too, and another proxy | `another_api_or_proxy_is_not_asked_before_the_entry_of_the_name_leads_there` |
//! | … where an older DynaKube has the host | `an_api_that_is_an_older_dynakubes_to_open_is_asked_when_it_has` |
//! | the API URL even when nothing else is known | `without_an_answer_ever_the_operators_entries_are_wanted_and_the_rest_is_kept` |
//! | `*.apps.*` is `*.live.*` | `the_web_interfaces_host_stands_for_the_apis` |
//! | names, labels, ports, protocols, resolution | `hosts_have_entries_and_routes_as_the_original_names_them` |
//! | IP and FQDN apart, no routes for IPs | `addresses_have_entries_of_their_own_and_no_routes` |
//! | questions, header, query | `the_api_is_asked_as_the_original_asks_it` |
//! | two forms of the answer | `activegates_are_told_in_one_text_and_oneagents_in_a_list` |
//! | ports 80 and 443, paths dropped, deduplicated | `what_is_said_twice_is_wanted_once` |
//! | the request threshold; 0 is no caching | `the_threshold_is_how_old_an_answer_may_be` |
//! | an empty answer is never cached | `an_empty_answer_from_the_cache_is_asked_for_again` |
//! | an empty answer changes nothing | `an_empty_answer_leaves_the_last_good_one` |
//! | hosts that change over time | `hosts_that_change_over_time_are_followed_and_what_is_gone_is_pruned` |
//! | hosts inside the cluster need no entries | `hosts_inside_the_cluster_are_an_answer_that_needs_no_entries` |
//! | 15 minutes, 1 minute | `it_is_asked_again_in_15_minutes_or_in_one` |
//! | conditions, True and False | `the_conditions_are_the_originals` |
//! | no hosts, no condition | `a_component_without_hosts_has_no_condition` |
//! | … none goes while its entries stand | `where_nothing_can_be_done_the_conditions_of_the_entries_that_stand_stay` |
//! | switched off, everything goes | `switched_off_everything_goes` |
//! | … and comes back | `switched_off_everything_goes_and_comes_back_when_it_is_switched_on` |
//! | the DynaKube is deleted, everything goes | `the_way_to_dynatrace_is_opened_when_istio_appears_and_follows_its_hosts_until_the_dynakube_goes` |
//! | Istio's CRDs absent | `without_istio_it_says_so_and_gives_nothing_up` |
//!
//! | its fault | test |
//! |---|---|
//! | 1 clean-up for the API URL never runs | `another_api_url_replaces_the_entries_of_the_old_one` |
//! | 2 a host at two ports twice in a VirtualService | `a_host_at_two_ports_is_one_host_in_the_routes` |
//! | 3 a port for http and https takes one of them | `a_port_for_http_and_https_is_in_two_entries` |
//! | 3 … at one host | `a_port_of_one_host_is_https_where_it_is_said_to_be_both` |
//! | 3 … where components or DynaKubes disagree | `a_port_is_https_where_another_component_or_dynakube_says_http` |
//! | 4 an IPv6 address gets `/32` | `an_ipv6_address_is_one_address` |
//! | 5 all IP entries share a host | `every_entry_of_addresses_has_a_host_of_its_own` |
//! | 5 hosts repeated across components | `a_host_of_several_components_is_in_one_entry` |
//! | 5 hosts repeated across DynaKubes | `a_host_of_several_dynakubes_is_in_the_oldest_ones_entry_with_all_ports` |
//! | 6 drift is invisible | `drift_is_repaired_while_the_api_is_down` |
//! | 7 HTTP 400 deletes everything | `an_error_status_leaves_the_last_good_answer` |
//! | 7 … so does an answer that can't be read | `an_answer_that_can_not_be_read_leaves_the_last_good_one` |
//! | 7 … one that is malformed, slow or huge, and a redirect to a foreign host | `whatever_else_the_api_answers_nothing_is_given_up_and_it_is_said_why` |
//! | 7 … one endpoint's trouble is its own | `one_endpoint_in_trouble_keeps_the_other_from_nothing` |
//! | 7 … be it too large, too slow or a redirect | `trouble_with_what_is_asked_for_activegate_leaves_oneagents_hosts_followed` |
//! | 7 … no answer is asked for again in a minute | `no_answer_leaves_the_last_good_one_and_is_asked_for_again_in_a_minute` |
//! | 7 … a restart forgets nothing | `a_host_that_was_restarted_while_the_api_is_down_remembers_and_writes_nothing` |
//! | 8 one bad URL blocks all | `a_bad_url_is_passed_over_and_told` |
//! | 9 no entry for the proxy | `the_proxy_has_an_entry` |
//! | 10 a port above 65535 is accepted | `a_port_above_65535_is_passed_over_and_told` |
//! | requests to any http host go to the first | `requests_to_an_http_host_go_to_that_host` |

mod asking;
mod entries;
mod mended;

use mizzen_sdk::Readiness;
use mizzen_sdk::http::Response;
use mizzen_sdk::testing::{self, Cluster};

use super::*;

pub(super) const API: &str = "https://abc.live.dynatrace.com/api/v1/deployment/installer";

/// The way to the API, open.
pub(super) const OPEN: &str = "{apiVersion: networking.istio.io/v1, kind: ServiceEntry, metadata: {name: prod-fqdn-operator, namespace: dynatrace}, spec: {hosts: [abc.live.dynatrace.com], ports: [{number: 443, protocol: HTTPS}]}}";

/// A DynaKube with these fields in its spec, and these endpoints in its status.
pub(super) fn kube_with(spec: &str, activegate: &str, oneagent: &str) -> String {
    format!(
        "apiVersion: dynatrace.com/v1beta6
kind: DynaKube
metadata: {{name: prod, namespace: dynatrace, creationTimestamp: '2026-02-01T00:00:00Z'}}
spec: {{apiUrl: 'https://abc.live.dynatrace.com/api', enableIstio: true, {spec}}}
status:
  activeGate: {{connectionInfoStatus: {{endpoints: '{activegate}'}}}}
  oneAgent: {{connectionInfoStatus: {{endpoints: '{oneagent}', tenantUUID: abc, lastRequest: '2026-02-01T00:00:00Z'}}}}
"
    )
}

/// One about which nothing is known.
pub(super) fn kube() -> String {
    kube_with("", "", "")
}

/// An API that gives these answers.
pub(super) fn answering(activegate: Response, oneagent: Response) -> Cluster {
    Cluster::new()
        .with_answer(&format!("{API}/gateway/connectioninfo"), activegate)
        .with_answer(&format!("{API}/agent/connectioninfo"), oneagent)
}

/// An API that names these hosts.
pub(super) fn naming(activegate: &str, oneagent: &[&str]) -> Cluster {
    answering(
        Response::of_json(&json!({"tenantUUID": "abc", "tenantToken": "t", "communicationEndpoints": activegate})),
        Response::of_json(&json!({"tenantUUID": "abc", "tenantToken": "t", "communicationEndpoints": oneagent})),
    )
}

pub(super) fn ask(cluster: Cluster, kube: &str) -> Outcome {
    testing::reconcile::<Egress>(&cluster.with(OPEN).with(kube), kube, &json!({})).unwrap()
}

pub(super) fn names(outcome: &Outcome) -> Vec<String> {
    let name = |object: &Value| format!("{} {}", object["kind"], object["metadata"]["name"]).replace('"', "");
    outcome.desired.iter().flatten().map(name).collect()
}

/// The spec of the entry, or of the routes, of a name.
pub(super) fn spec<'a>(outcome: &'a Outcome, kind: &str, name: &str) -> &'a Value {
    let is = |object: &&Value| object["kind"] == kind && object["metadata"]["name"] == name;
    &outcome.desired.iter().flatten().find(is).unwrap_or_else(|| unreachable!("no {kind} {name}: {outcome:#?}"))["spec"]
}

/// A condition's status, reason and message.
pub(super) fn said<'a>(outcome: &'a Outcome, kind: &str) -> Option<(Option<bool>, &'a str, &'a str)> {
    let found = outcome.conditions.iter().find(|condition| condition.kind == kind)?;
    Some((found.status, &found.reason, &found.message))
}

#[test]
fn every_row_of_the_table_is_a_test() {
    let tests = [
        include_str!("tests/asking.rs"),
        include_str!("tests/entries.rs"),
        include_str!("tests/mended.rs"),
        include_str!("../../../tests/egress/tests/dynatrace.rs"),
        include_str!("../../../tests/e2e/tests/all/dynakube.rs"),
    ];
    assert_eq!(testing::rows(include_str!("tests.rs"), &tests), 44);
}
