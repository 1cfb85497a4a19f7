use candle_core::{DType, Device, Result, Tensor};
use fer_model::ops::{ConvolutionSettings, Engine, Mode};
use fer_model::{Network, Parameters, Plan, Stack};

#[test]
fn stacks_refuse_what_does_not_fit_and_name_it() {
    let stack = || {
        let parameters = Parameters::new(0, &Device::Cpu);
        Stack::new([1, 6, 6], Engine::available()[0], parameters.builder())
    };
    let message = |result: Result<Stack<'_>>| result.map(|_| ()).unwrap_err().to_string();
    let error = message(stack().convolution("first", ConvolutionSettings::valid(3, 4)));
    assert!(
        error.contains("first") && error.contains("3 channels"),
        "{error}"
    );
    let shrinking = ConvolutionSettings {
        kernel: 5,
        ..ConvolutionSettings::valid(1, 4)
    };
    let error = message(
        stack()
            .convolution("first", shrinking)
            .and_then(|stack| stack.convolution("second", ConvolutionSettings::valid(4, 4))),
    );
    assert!(error.contains("second"), "{error}");
    assert!(message(stack().dense("head", 3, false)).contains("head"));
    assert!(message(stack().dropout("drop", 1.0)).contains("drop"));
    assert!(message(stack().residual("block", Ok)).contains("block"));
    assert!(stack().finish().is_err());
    let network = stack()
        .flatten()
        .and_then(|stack| stack.dense("head", 3, false)?.finish());
    let network = network.unwrap();
    let other = Tensor::zeros((1, 1, 5, 6), DType::F32, &Device::Cpu).unwrap();
    let error = network
        .forward(&other, Mode::Predict)
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("[1, 6, 6]") && error.contains("[1, 5, 6]"),
        "{error}"
    );
    assert!(
        Plan::new(&network)
            .unwrap()
            .unwrap()
            .forward(&other)
            .is_err()
    );
    assert!(
        Plan::new(&network)
            .unwrap()
            .unwrap()
            .run(&[0.0; 35])
            .is_err()
    );
}
