/**
 * How far Floe's result may be from TensorFlow's, in units in the last place of max(1, |result|). Ops that are not
 * listed must agree bit for bit.
 */
const TRANSCENDENTAL =
  'Exp Expm1 Log Log1p Sin Cos Tan Sinh Cosh Tanh Asin Acos Atan Asinh Acosh Atanh Sigmoid Erf Erfc Erfinv Ndtri ' +
  'Elu Selu Softplus SoftplusGrad';

export const TOLERANCE: Readonly<Record<string, number>> = {
  ...Object.fromEntries(TRANSCENDENTAL.split(' ').map((op) => [op, 8])),
};

/** Ops for which TensorFlow's choice between 0 and -0 depends on the place of the element in the tensor. */
export const ZERO_SIGN_VARIES: ReadonlySet<string> = new Set(['Maximum', 'Minimum', 'Relu', 'Relu6']);
