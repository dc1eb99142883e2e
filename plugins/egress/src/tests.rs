//! The behaviour of Dynatrace's operator, and its faults, each with a test: here, in `tests/egress`
//! against a real server, or in `tests/e2e` on a real control plane.
//!
//! | of the original | test |
//! |---|---|
//! | the API URL before anything else | `the_entry_for_the_api_exists_before_a_request_is_sent` |
//! | … also after a change of the API or the proxy | `another_api_or_proxy_is_not_used_before_the_entry_leads_there` |
//! | … where an older DynaKube has the host | `an_api_in_an_older_dynakubes_entry_is_used_once_that_exists` |
//! | the API URL, always | `before_the_first_response_the_operators_entries_are_desired_and_nothing_is_pruned` |
//! | `*.apps.*` is `*.live.*` | `the_host_of_the_web_interface_is_replaced_by_the_apis` |
//! | names, labels, ports, protocols, resolution | `hosts_have_entries_and_routes_as_the_original_names_them` |
//! | IP and FQDN apart, no routes for IPs | `addresses_have_entries_of_their_own_and_no_routes` |
//! | requests, header, query | `requests_are_those_of_the_original` |
//! | two forms of the response | `responses_are_one_text_for_activegates_and_a_list_for_oneagents` |
//! | ports 80 and 443, paths dropped, deduplicated | `a_repeated_endpoint_is_desired_once` |
//! | the request threshold; 0 disables caching | `the_threshold_is_the_maximum_age_of_a_cached_response` |
//! | an empty response is never cached | `an_empty_response_from_the_cache_is_requested_again` |
//! | an empty response changes nothing | `an_empty_response_leaves_the_last_good_one_in_force` |
//! | hosts that change over time | `changed_hosts_are_applied_and_missing_ones_pruned` |
//! | hosts inside the cluster need no entries | `hosts_inside_the_cluster_are_a_response_that_needs_no_entries` |
//! | 15 minutes, 1 minute | `the_next_call_is_in_15_minutes_or_in_one` |
//! | conditions, True and False | `the_conditions_are_the_originals` |
//! | no hosts, no condition | `a_component_without_hosts_has_no_condition` |
//! | … it stays while its entries exist | `conditions_of_existing_entries_stay_when_nothing_can_be_done` |
//! | switched off, everything is pruned | `switched_off_everything_is_pruned` |
//! | … and comes back | `everything_is_pruned_when_it_is_switched_off_and_applied_again_when_it_is_switched_on` |
//! | deletion prunes all | `egress_to_dynatrace_opens_with_istio_and_follows_its_hosts_until_the_dynakube_is_deleted` |
//! | Istio's CRDs absent | `without_istio_it_reports_that_and_the_last_response_stays_in_force` |
//!
//! | its fault | test |
//! |---|---|
//! | 1 clean-up for the API URL never runs | `another_api_url_replaces_the_entries_of_the_old_one` |
//! | 2 a host at two ports twice in a VirtualService | `a_host_at_two_ports_is_one_host_in_the_routes` |
//! | 3 a port for http and https takes one of them | `a_port_for_http_and_https_is_in_two_entries` |
//! | 3 … at one host | `a_port_of_one_host_that_is_http_and_https_is_https` |
//! | 3 … where components or DynaKubes disagree | `a_port_is_https_if_another_component_or_dynakube_has_it_as_http` |
//! | 4 an IPv6 address gets `/32` | `an_ipv6_address_is_one_address` |
//! | 5 all IP entries share a host | `every_entry_of_addresses_has_its_own_host` |
//! | 5 hosts repeated across components | `a_host_of_several_components_is_in_one_entry` |
//! | 5 hosts repeated across DynaKubes | `a_host_of_several_dynakubes_is_in_the_oldest_ones_entry_with_all_ports` |
//! | 6 drift is invisible | `drift_is_repaired_while_the_api_is_down` |
//! | 7 HTTP 400 deletes everything | `an_error_status_leaves_the_last_good_response_in_force` |
//! | 7 … so does a response that is not valid | `an_invalid_response_leaves_the_last_good_one_in_force` |
//! | 7 … malformed, slow, huge, redirect | `any_other_failed_response_is_reported_and_the_last_one_stays_in_force` |
//! | 7 … so does the failure of one endpoint | `a_failure_of_one_endpoint_does_not_affect_the_other` |
//! | 7 … too large, too slow, a redirect | `a_failure_for_activegate_does_not_stop_updates_of_oneagents_hosts` |
//! | 7 … retried in a minute | `a_failed_request_leaves_the_last_response_in_force_and_is_retried_in_a_minute` |
//! | 7 … so does a restart | `a_host_restarted_while_the_api_is_down_keeps_the_entries_and_writes_nothing` |
//! | 8 one bad URL blocks all | `an_invalid_url_is_skipped_and_reported` |
//! | 9 no entry for the proxy | `the_proxy_has_an_entry` |
//! | 10 a port above 65535 is accepted | `a_port_above_65535_is_skipped_and_reported` |
//! | requests to any http host go to the first | `requests_to_an_http_host_go_to_that_host` |

mod entries;
mod faults;
mod requests;

use mizzen_sdk::Readiness;
use mizzen_sdk::http::Response;
use mizzen_sdk::testing::{self, Cluster};

use super::*;

pub(super) const API: &str = "https://abc.live.dynatrace.com/api/v1/deployment/installer";

/// The entry for the API.
pub(super) const OPEN: &str = "{apiVersion: networking.istio.io/v1, kind: ServiceEntry, \
    metadata: {name: prod-fqdn-operator, namespace: dynatrace}, \
    spec: {hosts: [abc.live.dynatrace.com], ports: [{number: 443, protocol: HTTPS}]}}";

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

/// A DynaKube without known endpoints.
pub(super) fn kube() -> String {
    kube_with("", "", "")
}

/// An API with these responses.
pub(super) fn responding(activegate: Response, oneagent: Response) -> Cluster {
    Cluster::new()
        .with_response(&format!("{API}/gateway/connectioninfo"), activegate)
        .with_response(&format!("{API}/agent/connectioninfo"), oneagent)
}

/// An API that reports these hosts.
pub(super) fn naming(activegate: &str, oneagent: &[&str]) -> Cluster {
    responding(
        Response::of_json(&json!({"tenantUUID": "abc", "tenantToken": "t", "communicationEndpoints": activegate})),
        Response::of_json(&json!({"tenantUUID": "abc", "tenantToken": "t", "communicationEndpoints": oneagent})),
    )
}

pub(super) fn reconciled(cluster: Cluster, kube: &str) -> Outcome {
    testing::reconcile::<Egress>(&cluster.with(OPEN).with(kube), kube, &json!({})).unwrap()
}

pub(super) fn names(outcome: &Outcome) -> Vec<String> {
    let name = |object: &Value| format!("{} {}", object["kind"], object["metadata"]["name"]).replace('"', "");
    outcome.desired.iter().flatten().map(name).collect()
}

/// The spec of an entry, or of routes, by name.
pub(super) fn spec<'a>(outcome: &'a Outcome, kind: &str, name: &str) -> &'a Value {
    let is = |object: &&Value| object["kind"] == kind && object["metadata"]["name"] == name;
    &outcome.desired.iter().flatten().find(is).unwrap_or_else(|| unreachable!("no {kind} {name}: {outcome:#?}"))["spec"]
}

/// A condition's status, reason and message.
pub(super) fn reported<'a>(outcome: &'a Outcome, kind: &str) -> Option<(Option<bool>, &'a str, &'a str)> {
    let found = outcome.conditions.iter().find(|condition| condition.kind == kind)?;
    Some((found.status, &found.reason, &found.message))
}

#[test]
fn every_row_of_the_table_is_a_test() {
    let tests = [
        include_str!("tests/requests.rs"),
        include_str!("tests/entries.rs"),
        include_str!("tests/faults.rs"),
        include_str!("../../../tests/egress/tests/dynatrace.rs"),
        include_str!("../../../tests/e2e/tests/all/dynakube.rs"),
    ];
    assert_eq!(testing::rows(include_str!("tests.rs"), &tests), 44);
}
