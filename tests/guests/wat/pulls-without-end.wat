(module
  (import "lockgate:policy/security@1.0.0" "findings" (func $findings (param i32 i32)))
  ;;! honest
  (func (export "evaluate") (param i32 i32) (result i32)
    (loop $again
      (call $findings (i32.const 0) (i32.const 3000))
      (br $again))
    (unreachable)))
