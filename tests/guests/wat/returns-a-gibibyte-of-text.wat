(module
  ;;! honest
  ;;! one check
  (func (export "evaluate") (param i32 i32) (result i32)
    ;; takes what memory it can get, and says that it has more
    (drop (memory.grow (i32.const 900)))
    (i32.store (i32.const 2072) (i32.const 0))
    (i32.store (i32.const 2076) (i32.const 1073741824))
    (call $answer)))
