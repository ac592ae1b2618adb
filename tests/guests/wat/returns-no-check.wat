(module
  ;;! honest
  (func (export "evaluate") (param i32 i32) (result i32) (i32.const 3000)))
