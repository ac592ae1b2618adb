(module
  ;;! honest
  ;;! one check
  (func (export "evaluate") (param i32 i32) (result i32) (call $answer)))
