(module
  (import "lockgate:policy/metrics@1.0.0" "candidate-named" (func $named (param i32 i32 i32)))
  (import "lockgate:policy/security@1.0.0" "findings-of" (func $findings (param i32 i32 i32)))
  ;;! honest
  ;;! one check
  (func (export "evaluate") (param i32 i32) (result i32)
    (call $named (i32.const 1024) (i32.const 7) (i32.const 3000))
    ;; secrets of any severity
    (call $findings (i32.const 2) (i32.const 0) (i32.const 3000))
    (call $answer)))
