//! From texts to endpoints.

use std::net::IpAddr;

use proptest::prelude::*;

use super::*;

#[test]
fn a_url_is_a_target_a_port_and_a_protocol() {
    for (url, target, port, protocol) in [
        ("https://a.example.com", "a.example.com", 443, Protocol::Https),
        ("http://a.example.com", "a.example.com", 80, Protocol::Http),
        ("https://a.example.com:9999/communication?a=b", "a.example.com", 9999, Protocol::Https),
        ("HTTPS://A.Example.COM.:443/", "a.example.com", 443, Protocol::Https),
        (" https://user:pass@a.example.com:8443 ", "a.example.com", 8443, Protocol::Https),
        ("https://10.0.0.1/communication", "10.0.0.1/32", 443, Protocol::Tcp),
        ("http://[2001:db8::1]:8080", "2001:db8::1/128", 8080, Protocol::Tcp),
        ("https://[::ffff:10.0.0.1]", "10.0.0.1/32", 443, Protocol::Tcp),
        ("https://a.example.com:", "a.example.com", 443, Protocol::Https),
    ] {
        let endpoint = Url::parse(url).unwrap().endpoint();
        let read = (endpoint.target().to_string(), endpoint.port().number(), endpoint.protocol());
        assert_eq!(read, (target.to_owned(), port, protocol), "{url}");
    }
}

#[test]
fn an_error_says_why_a_url_is_not_one_of_an_external_host() {
    for (url, why) in [
        ("", "not a valid URL"),
        ("a.example.com:443", "not a valid URL"),
        ("/communication", "not a valid URL"),
        ("https://", "not a valid URL"),
        ("https://ä.example.com", "not a valid URL"),
        ("ftp://a.example.com", "neither `http` nor `https`"),
        ("https://a.example.com:70000", "its port is not a number from 1 to 65535"),
        ("https://a.example.com:0", "its port is not"),
        ("https://a.example.com:99999999999999999999", "its port is not"),
        ("https://a_b.example.com", "its host is not a valid host name"),
        ("https://-a.example.com", "its host is not a valid host name"),
        ("https://1.2.3.400", "its host is not a valid host name"),
        ("https://agent", "its host is a short name"),
        ("https://gate.dynatrace.svc:443", "inside the cluster"),
        ("https://gate.dynatrace.svc.cluster.local", "inside the cluster"),
        ("https://localhost:8080", "inside the cluster"),
        ("https://127.0.0.1", "loopback"),
        ("https://[::1]", "loopback"),
        ("https://0.0.0.0", "unspecified"),
    ] {
        let message = Url::parse(url).unwrap_err().to_string();
        assert!(message.contains(why), "{url}: {message}");
    }
}

#[test]
fn an_error_quotes_nothing_of_the_url() {
    for url in [
        "https://relay:k3y@a_b",
        "ftp://relay:k3y@a.example.com",
        "https://relay:k3y@a.example.com:70000",
        "http://relay:k3y#Blue7@proxy.example.com:3128",
        "http://relay:k3y/Blue7@proxy.example.com:3128",
        "http://relay:07Q!?Blue7@proxy.example.com:3128",
        "http://relay:k3y@Blue7",
        "http://relay:k3y",
        "http://relay:k3y@",
        "relay:k3y@proxy.example.com",
        "http://relay:k3y@proxy.example.com:Blue7",
        "http://relay:k3y@[Blue7]:3128",
        "http://relay:70000",
    ] {
        let error = Url::parse(url).unwrap_err();
        for text in [error.to_string(), format!("{error:?}")] {
            for part in ["relay", "k3y", "Blue7", "07Q", "proxy", "a_b", "70000"] {
                assert!(!text.contains(part), "{url}: {text}");
            }
        }
    }
}

#[test]
fn a_user_or_password_is_never_taken_for_a_host_or_port() {
    for end in ["#", "/", "?", "#?/"] {
        for url in [
            format!("http://mesh.relay:2024{end}Blue7@proxy.example.com:3128"),
            format!("http://mesh.relay{end}Blue7@proxy.example.com"),
            format!("http://user:a@mesh.relay:2024{end}b@proxy.example.com:3128"),
        ] {
            assert_eq!(Url::parse(&url), Err(UrlError::UserInfo), "{url}");
        }
    }
}

#[test]
fn a_password_can_be_empty_or_percent_encoded_or_contain_an_at_sign() {
    for user in ["user:", ":", "", "user", "user:k3y%23%2F%3F%40Blue7", "user:k3y@Blue7", "user:07Q!+", "user:50%off"] {
        let url = Url::parse(&format!("http://{user}@proxy.example.com:3128/")).unwrap();
        let endpoint = url.proxy();
        assert_eq!(
            (endpoint.target().to_string(), endpoint.port().number()),
            ("proxy.example.com".into(), 3128),
            "{user}"
        );
    }
}

#[test]
fn a_network_has_no_bits_beyond_its_prefix_and_is_not_everything() {
    assert_eq!(Net::parse("10.0.0.0/8").unwrap().to_string(), "10.0.0.0/8");
    assert_eq!(Net::parse("2001:db8::/32").unwrap().to_string(), "2001:db8::/32");
    for (text, why) in [
        ("10.0.0.1/8", "write `10.0.0.0/8`"),
        ("0.0.0.0/0", "`ALLOW_ANY`"),
        ("::/0", "`ALLOW_ANY`"),
        ("10.0.0.0/33", "neither an address nor a network"),
        ("a.example.com", "neither an address nor a network"),
        ("224.0.0.1", "multicast"),
    ] {
        let message = Net::parse(text).unwrap_err().to_string();
        assert!(message.contains(why), "{text}: {message}");
    }
}

#[test]
fn a_network_is_judged_by_all_of_its_addresses() {
    for text in [
        "126.0.0.0/7",
        "192.0.0.0/2",
        "0.0.0.0/8",
        "169.254.169.254",
        "169.254.0.0/16",
        "169.254.1.0/24",
        "169.0.0.0/8",
        "255.255.255.255",
        "240.0.0.0/4",
        "::",
        "::/64",
        "fe80::1",
        "fe80::/10",
        "fe00::/7",
        "ff02::1",
        "::ffff:127.0.0.1",
        "::ffff:127.0.0.0/104",
        "::fffe:0:0/95",
        "8000::/1",
    ] {
        let message = Net::parse(text).unwrap_err().to_string();
        assert!(message.ends_with("which nothing external has"), "{text}: {message}");
    }
    for (text, read) in [
        ("128.0.0.0/3", "128.0.0.0/3"),
        ("169.253.0.0/16", "169.253.0.0/16"),
        ("2000::/3", "2000::/3"),
        ("::ffff:10.0.0.0/104", "10.0.0.0/8"),
        ("::ffff:10.0.0.1/128", "10.0.0.1/32"),
    ] {
        let net = Net::parse(text).map(|net| net.to_string());
        assert_eq!(net.unwrap_or_else(|error| error.to_string()), read);
    }
    assert!(Net::parse("::ffff:0:0/96").unwrap_err().to_string().contains("`ALLOW_ANY`"));
    assert!(Net::parse("::ffff:10.0.0.1/104").unwrap_err().to_string().contains("write `10.0.0.0/8`"));
}

#[test]
fn a_name_is_not_an_address_and_a_wildcard_replaces_a_whole_label() {
    assert_eq!(Target::name("*.Example.com").unwrap().to_string(), "*.example.com");
    for name in ["10.0.0.1", "[::1]", "*", "a*.example.com", "*.*.example.com", "a..example.com", "*.com"] {
        assert!(Target::name(name).is_err(), "{name}");
    }
    assert!(Host::parse(&format!("{}.com", "a".repeat(64))).is_err());
    assert!(Host::parse(&format!("{}example.com", "abcdefg.".repeat(31))).is_err());
}

#[test]
fn only_traffic_that_istio_can_distinguish_is_an_endpoint() {
    let port = Port::new(1).unwrap();
    let endpoint = |target: &Target, protocol| Endpoint::new(target.clone(), port, protocol).map_err(|e| e.to_string());
    let (host, all) = (Target::name("a.example.com").unwrap(), Target::name("*.example.com").unwrap());
    let net = Target::Net(Net::parse("10.0.0.1").unwrap());
    assert!(endpoint(&host, None).unwrap_err().contains("write HTTP, HTTPS, TLS or TCP"));
    assert!(endpoint(&all, Some(Protocol::Tcp)).unwrap_err().contains("`*.example.com` would allow everything"));
    assert!(endpoint(&net, Some(Protocol::Https)).unwrap_err().starts_with("HTTPS can't be distinguished"));
    assert_eq!(endpoint(&net, None).unwrap().protocol(), Protocol::Tcp);
    assert!(endpoint(&host, Some(Protocol::Tcp)).is_ok());
}

#[test]
fn a_port_is_1_to_65535() {
    for number in [0, -1, 65_536, i64::MAX, i64::MIN] {
        let message = Port::new(number).unwrap_err().to_string();
        assert_eq!(message, format!("{number} is not a valid port: write a number from 1 to 65535"));
    }
    assert_eq!((Port::new(1).unwrap().number(), Port::new(65_535).unwrap().number()), (1, 65_535));
}

#[test]
fn names_of_objects_leave_room_for_derived_labels() {
    for name in ["", "A", "a_b", "a..b", "-a", &"a".repeat(41)] {
        assert!(Prefix::parse(name).is_err() && Part::parse(name).is_err(), "{name}");
    }
    assert!(Prefix::parse("a.b").is_ok() && Part::parse("a.b").is_err());
    for name in ["", "a-b", "a2", &"a".repeat(41)] {
        assert!(Part::word(name).is_err(), "{name}");
    }
}

proptest! {
    #[test]
    fn no_text_makes_reading_panic(text in "(https?://)?[a-z0-9.:@\\[\\]/*-]{0,40}", any in "\\PC{0,40}") {
        for text in [text, any] {
            let url = Url::parse(&text);
            let _ = url.map(|url| (url.endpoint(), url.proxy()));
            let (_, _) = (Target::name(&text), Net::parse(&text));
        }
    }

    #[test]
    fn whatever_the_password_no_part_of_it_is_a_host_or_quoted(password in "[a-z0-9:/?#@%!.\\[\\]]{0,20}") {
        match Url::parse(&format!("http://mesh.user:{password}@proxy.example.com:3128")) {
            Ok(url) => prop_assert_eq!(url.proxy().target().to_string(), "proxy.example.com"),
            Err(error) => prop_assert!(!error.to_string().contains("proxy.example.com")),
        }
    }

    #[test]
    fn an_address_is_one_address(address: IpAddr) {
        if let Ok(net) = Net::single(address) {
            let length = if address.to_canonical().is_ipv4() { 32 } else { 128 };
            prop_assert_eq!(net.to_string(), format!("{}/{length}", address.to_canonical()));
        }
    }
}
