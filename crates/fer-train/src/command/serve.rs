//! The page in a browser, and answers for other programs.

use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::Args;
use fer_model::Classifier;

use crate::command::Usage;
use crate::command::arguments::DeviceArguments;
use crate::command::model;
use crate::command::output::People;
use crate::command::signals::Signals;
use crate::serve::{ServeError, Server, Settings};

/// What `serve` takes.
#[derive(Args)]
pub(crate) struct ServeArguments {
    /// The saved model [default: the built-in one]
    #[arg(long, value_name = "MODEL")]
    model: Option<PathBuf>,
    /// The port; 0 takes a free one
    #[arg(long, value_name = "N", default_value_t = Settings::default().port)]
    port: u16,
    /// The address to listen on. Any other than a loopback address lets others in, without encryption
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1", value_parser = address)]
    host: IpAddr,
    /// A further name by which the server may be called, such as that of a proxy before it: NAME or
    /// NAME:PORT; may be repeated
    #[arg(long, value_name = "NAME")]
    allow_host: Vec<String>,
    #[command(flatten)]
    device: DeviceArguments,
}

fn address(text: &str) -> Result<IpAddr, String> {
    match text {
        "localhost" => Ok(IpAddr::V4(Ipv4Addr::LOCALHOST)),
        text => text
            .parse()
            .map_err(|_| "an IP address of this machine is expected, such as 127.0.0.1".into()),
    }
}

pub(crate) fn run(arguments: &ServeArguments) -> Result<ExitCode> {
    let (selected, engine) = arguments.device.select(People::Stdout)?;
    let model = model::load(arguments.model.as_deref(), &selected.device, engine)?;
    let classifier = Classifier::new(model, &selected.device)?;
    let settings = Settings {
        host: arguments.host,
        port: arguments.port,
        allowed_hosts: arguments.allow_host.clone(),
        built_in: arguments.model.is_none(),
        ..Settings::default()
    };
    let server = Server::bind(classifier, settings).map_err(|error| match error {
        ServeError::AllowedHost(_) => Usage(format!("--allow-host {error}")).into(),
        other => anyhow::Error::from(other),
    })?;
    let signals = Signals::listen()?;
    let address = server.address();
    if !address.ip().is_loopback() {
        People::Stderr.say(
            "warning: whoever reaches this machine over the network can use this server, and what they \
             send is not encrypted; a browser gives a page its camera on this machine or over HTTPS alone",
        )?;
    }
    let named = match address.ip().is_unspecified() {
        true => format!("localhost:{}", address.port()),
        false => address.to_string(),
    };
    People::Stdout.say(&format!("page        http://{named}/"))?;
    People::Stdout
        .say("            pictures stay on this machine and are not stored; Ctrl-C ends it")?;
    server.run(&signals.stop);
    People::Stdout.say(&format!("ended       by {}", signals.name()))?;
    Ok(ExitCode::SUCCESS)
}
