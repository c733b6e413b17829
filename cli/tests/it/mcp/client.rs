//! A client of the Model Context Protocol, and the command as its server.

use rmcp::{
    RoleClient, ServiceExt,
    model::{CallToolRequestParams, CallToolResult, Tool},
    service::RunningService,
    transport::TokioChildProcess,
};
use serde_json::Value;

use crate::fixture::{Fixture, command};

/// A server that this client has started.
pub(super) struct Client {
    service: RunningService<RoleClient, ()>,
    tools: Vec<Tool>,
}

impl Client {
    /// Starts `org-invitations -p PROVIDER mcp OPTIONS`.
    pub async fn start(fixture: &Fixture, provider: &str, options: &[&str]) -> Self {
        let words = [&["-p", provider, "mcp"], options].concat();
        let process = TokioChildProcess::new(command(&words, &fixture.variables())).unwrap();
        let service = ().serve(process).await.unwrap();
        let tools = service.list_all_tools().await.unwrap();
        Self { service, tools }
    }

    /// The tools, by name.
    pub fn tools(&self) -> &[Tool] {
        &self.tools
    }

    pub fn instructions(&self) -> String {
        let info = self.service.peer_info().unwrap();
        info.instructions.clone().unwrap()
    }

    /// Calls a tool, and checks its answer against the schema of the tool.
    pub async fn call(&self, tool: &'static str, arguments: Value) -> Answer {
        let Value::Object(arguments) = arguments else {
            panic!("arguments are an object: {arguments}");
        };
        let request = CallToolRequestParams::new(tool).with_arguments(arguments);
        let result = self.service.call_tool(request).await.unwrap();
        if let Some(value) = &result.structured_content {
            let tool = self.tools.iter().find(|one| one.name == tool).unwrap();
            let schema = tool.output_schema.as_deref().unwrap().clone();
            let schema = jsonschema::validator_for(&Value::Object(schema)).unwrap();
            if let Err(error) = schema.validate(value) {
                panic!("{error} at {} of {value:#}", error.instance_path());
            }
        }
        Answer(result)
    }

    /// Ends the server by the end of its input.
    pub async fn end(self) {
        self.service.cancel().await.unwrap();
    }
}

/// What a tool answered.
pub(super) struct Answer(CallToolResult);

impl Answer {
    /// The structured content of a success.
    #[track_caller]
    pub fn success(&self) -> &Value {
        assert_eq!(self.0.is_error, Some(false), "{}", self.text());
        self.0.structured_content.as_ref().unwrap()
    }

    /// The records of a success.
    #[track_caller]
    pub fn records(&self) -> &Vec<Value> {
        self.success()["records"].as_array().unwrap()
    }

    /// Asserts that the call failed, and that the answer says why in these words.
    #[track_caller]
    pub fn fails(&self, words: &[&str]) -> &Self {
        let text = self.text();
        assert_eq!(self.0.is_error, Some(true), "{text}");
        for word in words {
            assert!(text.contains(word), "no {word:?} in: {text}");
        }
        self
    }

    /// The text that a client shows.
    pub fn text(&self) -> String {
        let texts = self.0.content.iter().filter_map(|one| one.as_text());
        texts.map(|text| text.text.as_str()).collect()
    }
}
