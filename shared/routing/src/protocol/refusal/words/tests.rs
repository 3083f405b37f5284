use super::super::{of_response, tests::response};

#[test]
fn the_servers_own_words_come_from_wherever_it_puts_them() {
    for (body, words) in [
        (r#"{"error":{"message":"no such model"}}"#, "no such model"),
        (r#"{"error":"no such model"}"#, "no such model"),
        (r#"{"object":"error","message":"no such model","code":404}"#, "no such model"),
        (r#"{"detail":"Not Found"}"#, "Not Found"),
        (
            r#"{"detail":[{"loc":["body","stop",0],"msg":"not a string","input":7}]}"#,
            "body.stop.0: not a string",
        ),
        (r#"{"base_resp":{"status_code":1002,"status_msg":"slow down"}}"#, "slow down"),
        (r#"{"error_code":336003,"error_msg":"wrong role"}"#, "wrong role"),
        (r#"{"success":false,"errors":[{"code":7003,"message":"no route"}]}"#, "no route"),
        (r#"{"Message":"not authorized"}"#, "not authorized"),
        ("404 page not found", "404 page not found"),
        ("<html><head><TITLE>502 Bad Gateway</TITLE></head><body>x</body></html>", "502 Bad Gateway"),
    ] {
        let message = of_response(&response(400, &[], body)).message.and_then(|message| message.redact([]));
        assert_eq!(message.unwrap().as_str(), words, "{body}");
    }
    for body in ["", "{}", "[]", "null", r#"{"error":{}}"#, "<html><body>secret</body></html>"] {
        assert_eq!(of_response(&response(400, &[], body)).message, None, "{body}");
    }
}
