use super::*;

const METRICS: &str = concat!(
    "# TYPE apiserver_request_total counter",
    "\n",
    r#"apiserver_request_total{code="200",component="apiserver",dry_run="",group="","#,
    r#"resource="configmaps",scope="resource",subresource="",verb="GET",version="v1"} 7"#,
    "\n",
    r#"apiserver_request_total{code="201",component="apiserver",dry_run="",group="","#,
    r#"resource="configmaps",scope="resource",subresource="",verb="POST",version="v1"} 2"#,
    "\n",
    r#"apiserver_request_total{code="200",component="apiserver",dry_run="All",group="","#,
    r#"resource="configmaps",scope="resource",subresource="",verb="POST",version="v1"} 60"#,
    "\n",
    r#"apiserver_request_total{code="201",component="apiserver",dry_run="",group="authorization.k8s.io","#,
    r#"resource="subjectaccessreviews",scope="resource",subresource="",verb="POST",version="v1"} 70"#,
    "\n",
    r#"apiserver_request_total{code="201",component="apiserver",dry_run="",group="","#,
    r#"resource="serviceaccounts",scope="resource",subresource="token",verb="POST",version="v1"} 80"#,
    "\n",
    r#"apiserver_request_total{code="200",component="apiserver",dry_run="",group="networking.istio.io","#,
    r#"resource="virtualservices",scope="resource",subresource="",verb="APPLY",version="v1"} 1.000001e+06"#,
    "\n",
    r#"apiserver_request_total{code="409",component="apiserver",dry_run="",group="networking.istio.io","#,
    r#"resource="virtualservices",scope="resource",subresource="status",verb="APPLY",version="v1"} 3"#,
    "\n",
    r#"apiserver_request_total{code="200",component="apiserver",dry_run="",group="coordination.k8s.io","#,
    r#"resource="leases",scope="resource",subresource="",verb="PUT",version="v1"} 5"#,
    "\n",
    r#"apiserver_request_duration_seconds_count{verb="POST"} 9"#,
    "\n",
);

#[test]
fn reads_dry_runs_and_reviews_do_not_count() {
    let counts = WriteCounts::parse(METRICS).unwrap();
    assert_eq!(counts.of_group("").total(), 2, "{counts}");
    assert_eq!(counts.total(), 2 + 1_000_001 + 5, "{counts}");
}

#[test]
fn refused_writes_are_counted_apart() {
    let counts = WriteCounts::parse(METRICS).unwrap().of_resource("virtualservices");
    assert_eq!((counts.total(), counts.refused()), (1_000_001, 3));
    assert!(counts.to_string().contains("3 Apply virtualservices.networking.istio.io/status (refused)"), "{counts}");
}

#[test]
fn heartbeats_can_be_left_out() {
    assert_eq!(WriteCounts::parse(METRICS).unwrap().without_heartbeats().of_verb(Verb::Update).total(), 0);
}

#[test]
fn only_what_was_added_is_counted_since_an_earlier_reading() {
    let earlier = WriteCounts::parse(METRICS).unwrap();
    let later =
        WriteCounts::parse(&METRICS.replace("\"POST\",version=\"v1\"} 2\n", "\"POST\",version=\"v1\"} 6\n")).unwrap();
    assert_eq!(later.since(&earlier).to_string().trim(), "4 Create configmaps");
}

#[test]
fn quotes_and_braces_in_a_label_do_not_end_it() {
    let line = r#"apiserver_request_total{resource="a\"},b",code="200",verb="PUT"} 1"#;
    assert_eq!(WriteCounts::parse(line).unwrap().of_resource("a\"},b").total(), 1);
}

#[test]
fn a_malformed_line_is_named() {
    let error = WriteCounts::parse("apiserver_request_total{verb=\"PUT\"} many").unwrap_err();
    assert!(error.to_string().ends_with("many"), "{error}");
}
