use super::*;

fn question(body: &str) -> Result<Question, String> {
    let request = Request::read(body.as_bytes()).map_err(|refusal| refusal.json())?;
    Question::new(request, "wiki").map_err(|refusal| refusal.json())
}

fn messages(list: &str) -> Result<Question, String> {
    question(&format!(r#"{{"messages": {list}}}"#))
}

#[test]
fn instructions_become_one_and_lines_keep_their_order() {
    let asked = messages(
        r#"[{"role": "system", "content": "Be brief."}, {"role": "user", "content": "hi", "name": "ann"},
            {"role": "assistant", "content": "hello"}, {"role": "developer", "content": [{"type": "text", "text": "Be kind."}]},
            {"role": "user", "content": [{"type": "text", "text": "one"}, {"type": "text", "text": "two"}]}]"#,
    )
    .unwrap();
    assert_eq!(asked.prompt.system.as_deref(), Some("Be brief.\n\nBe kind."));
    assert_eq!(asked.prompt.lines, [Line::user("hi"), Line::assistant("hello"), Line::user("one\ntwo")]);
    assert_eq!(asked.context.user, Some(UserId::parse("program:wiki").unwrap()));
    assert!(asked.context.attachments.is_empty() && asked.context.conversation.is_none());
}

#[test]
fn a_picture_is_taken_whole_or_not_at_all() {
    let with = |role: &str, url: &str| {
        messages(&format!(
            r#"[{{"role": "{role}", "content": [{{"type": "text", "text": "what?"}}, {{"type": "image_url", "image_url": {{"url": "{url}", "detail": "low"}}}}]}}]"#
        ))
    };
    let asked = with("user", "data:image/png;base64,aGlkZGVu").unwrap();
    let picture = Picture { media_type: "image/png".into(), data: "hidden".into() };
    assert_eq!(asked.prompt.lines[0].pictures, [picture]);
    assert_eq!(asked.context.attachments, [AttachmentKind::Picture]);
    for (url, code) in [
        ("https://h.example/a.png", "unsupported_image_url"),
        ("http://169.254.169.254/latest", "unsupported_image_url"),
        ("file:///etc/passwd", "unsupported_image_url"),
        ("data:image/png,hidden", "invalid_image_url"),
        ("data:text/html;base64,aGlkZGVu", "invalid_image_url"),
        ("data:image/png;base64,hidd en", "invalid_image_url"),
        ("data:", "invalid_image_url"),
    ] {
        let told = with("user", url).unwrap_err();
        assert!(told.contains(code), "{url}: {told}");
    }
    assert!(with("assistant", "data:image/png;base64,aGlkZGVu").unwrap_err().contains("unsupported_content"));
}

#[test]
fn what_has_no_place_in_a_prompt_is_refused() {
    for list in [
        "[]",
        r#"[{"role": "system", "content": "Be brief."}]"#,
        r#"[{"role": "tool", "content": "x", "tool_call_id": "1"}]"#,
        r#"[{"role": "user", "content": [{"type": "input_audio", "input_audio": {}}]}]"#,
        r#"[{"role": "user", "content": [{"type": "text"}]}]"#,
    ] {
        assert!(messages(list).is_err(), "{list}");
    }
    for keys in [r#""temperature": 2.1"#, r#""top_p": -0.1"#, r#""max_tokens": 0"#, r#""stop": """#] {
        let told = question(&format!(r#"{{"messages": [{{"role": "user", "content": "hi"}}], {keys}}}"#))
            .unwrap_err();
        assert!(told.contains("invalid_value"), "{keys}: {told}");
    }
}

#[test]
fn a_model_is_chosen_by_name_or_left_to_the_route() {
    let model = |model: &str| {
        let body = format!(r#"{{"model": {model}, "messages": [{{"role": "user", "content": "hi"}}]}}"#);
        question(&body).unwrap().context.model
    };
    for auto in [r#""auto""#, r#""magpie""#, r#"" ""#, "null"] {
        assert_eq!(model(auto), None, "{auto}");
    }
    assert_eq!(model(r#""office""#).as_deref(), Some("office"));
}

#[test]
fn what_belongs_together_is_told_apart_by_program_and_key() {
    let key = |keys: &str| {
        let body = format!(r#"{{"messages": [{{"role": "user", "content": "hi"}}], {keys}}}"#);
        question(&body).unwrap().context.conversation
    };
    let (a, b) = (key(r#""prompt_cache_key": "a""#), key(r#""prompt_cache_key": "b""#));
    assert!(a.is_some() && a != b);
    assert_eq!(a, key(r#""user": "x", "prompt_cache_key": "a""#));
    assert_eq!(key(r#""user": "a""#), a);
}
