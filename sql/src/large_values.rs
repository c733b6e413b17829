//! Functions whose result is as large as an argument says: they fail before they ask for more memory than there may be.
//!
//! The engine's memory limit counts the rows that operators hold, and not what a function makes of a single batch.

use std::{
    fmt,
    hash::{Hash, Hasher},
    sync::Arc,
};

use datafusion::{
    arrow::{
        array::AsArray,
        compute::{CastOptions, cast_with_options},
        datatypes::{DataType, FieldRef, Int64Type},
    },
    common::exec_err,
    error::Result,
    execution::FunctionRegistry,
    logical_expr::{
        ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
    },
    prelude::SessionContext,
};

/// The largest number of characters or elements that a function makes of one batch of rows.
const MAX_ELEMENTS: i64 = 100_000_000;

/// The functions, and the position of the argument that is the number of characters, repetitions or elements.
const FUNCTIONS: [(&str, usize); 5] = [
    ("repeat", 1),
    ("lpad", 1),
    ("rpad", 1),
    ("array_repeat", 1),
    ("array_resize", 1),
];

/// Replaces the functions of a session.
pub(crate) fn limit(context: &SessionContext) {
    for (name, argument) in FUNCTIONS {
        if let Ok(inner) = context.udf(name) {
            context.register_udf(ScalarUDF::new_from_impl(Limited { inner, argument }));
        }
    }
}

struct Limited {
    inner: Arc<ScalarUDF>,
    argument: usize,
}

impl Limited {
    fn check(&self, args: &ScalarFunctionArgs) -> Result<()> {
        let Some(count) = args.args.get(self.argument) else {
            return Ok(());
        };
        let rows = match count {
            ColumnarValue::Array(_) => 1,
            ColumnarValue::Scalar(_) => match args.args.iter().any(is_array) {
                true => i64::try_from(args.number_rows).unwrap_or(i64::MAX),
                false => 1,
            },
        };
        let counts = count.to_array(1)?;
        let counts = cast_with_options(&counts, &DataType::Int64, &CastOptions::default())?;
        let counts = counts.as_primitive::<Int64Type>().iter().flatten();
        let elements = counts.fold(0_i64, |sum, count| sum.saturating_add(count.max(0)));
        let elements = elements.saturating_mul(rows.max(1));
        match elements > MAX_ELEMENTS {
            true => exec_err!(
                "{} asks for {elements} characters or elements at once, and the limit is \
                 {MAX_ELEMENTS}",
                self.inner.name()
            ),
            false => Ok(()),
        }
    }
}

fn is_array(value: &ColumnarValue) -> bool {
    matches!(value, ColumnarValue::Array(_))
}

impl fmt::Debug for Limited {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.inner.name())
    }
}

impl PartialEq for Limited {
    fn eq(&self, other: &Self) -> bool {
        self.inner == other.inner
    }
}

impl Eq for Limited {}

impl Hash for Limited {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.inner.hash(state);
    }
}

impl ScalarUDFImpl for Limited {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn aliases(&self) -> &[String] {
        self.inner.aliases()
    }

    fn signature(&self) -> &Signature {
        self.inner.signature()
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        self.inner.return_type(types)
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        self.inner.return_field_from_args(args)
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        self.inner.coerce_types(types)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        self.check(&args)?;
        self.inner.invoke_with_args(args)
    }
}
