use super::*;

#[test]
fn addresses_are_read_with_and_without_a_user() {
    for (text, shown, credentials) in [
        ("http://proxy.example:3128", "http://proxy.example:3128", None),
        (" https://proxy.example:8443/ ", "https://proxy.example:8443", None),
        ("HTTP://[fd00::1]:3128", "http://[fd00::1]:3128", None),
        ("http://user:hidden@p:3128", "http://p:3128", Some("user:hidden")),
        ("http://corp%5Cann:p%40ss%3Aw%2Fd@p:3128", "http://p:3128", Some("corp\\ann:p@ss:w/d")),
        ("http://user@p:3128", "http://p:3128", Some("user:")),
    ] {
        let proxy = Proxy::parse(text).unwrap();
        assert_eq!(proxy.to_string(), shown);
        assert!(!format!("{proxy:?}").contains("hidden"));
        let expected = credentials.map(|plain| format!("Basic {}", STANDARD.encode(plain)));
        assert_eq!(proxy.credentials.as_ref().map(|value| value.to_str().unwrap()), expected.as_deref());
    }
}

#[test]
fn what_is_no_proxy_is_refused_and_not_shown() {
    for (text, error) in [
        ("proxy.example:3128", ProxyError::NoScheme),
        ("user:hidden@proxy.example:3128", ProxyError::NoScheme),
        ("ftp://proxy.example", ProxyError::NoScheme),
        ("socks5h://proxy.example:1080", ProxyError::Socks),
        ("http://user:hidden@", ProxyError::NoAddress),
        ("http://user:hid#den@proxy:3128", ProxyError::NoAddress),
        ("http://proxy:99999", ProxyError::NoAddress),
        ("http://proxy:3128/hidden", ProxyError::Path),
        ("http://proxy:3128?hidden", ProxyError::Path),
    ] {
        let refused = Proxy::parse(text).unwrap_err();
        assert_eq!(refused, error, "{text}");
        assert!(!refused.to_string().contains("hidden"));
    }
}

#[test]
fn only_calls_that_may_go_through_the_proxy_do() {
    let exceptions =
        ["*.corp.example", "10.0.0.0/8", "LLM.example", "fd00::/8"].map(|text| exception(text).unwrap());
    let proxy = Proxy::parse("http://proxy:3128").unwrap().except(exceptions.to_vec());
    let takes = |url: &str, via| proxy.takes(&url.parse().unwrap(), via);
    for url in [
        "https://open.feishu.cn/a",
        "http://192.168.1.9:8000/",
        "https://notcorp.example/",
        "https://[2001:db8::1]/",
    ] {
        assert!(takes(url, Via::Proxy), "{url}");
        assert!(!takes(url, Via::Direct), "{url}");
    }
    for url in [
        "https://corp.example/",
        "https://a.b.corp.example:8443/",
        "http://10.1.2.3:8000/",
        "https://llm.example/v1",
        "http://[fd00::7]/",
        "http://localhost:8000/",
        "http://127.9.9.9/",
        "http://[::1]:11434/",
        "http://[::ffff:127.0.0.1]/",
        "http://a.localhost/",
    ] {
        assert!(!takes(url, Via::Proxy), "{url}");
    }
}

#[test]
fn what_is_no_exception_is_refused() {
    for text in [
        "",
        "*",
        "https://corp.example",
        "corp.example:8443",
        "10.0.0.0/33",
        "corp.example/8",
        "a b",
        "a,b",
        "*corp",
    ] {
        assert_eq!(exception(text), Err(NoException), "{text:?}");
    }
    assert_eq!(exception("[fd00::1]").unwrap(), "fd00::1");
    assert_eq!(exception("例子.中国").unwrap(), "xn--fsqu00a.xn--fiqs8s");
}
