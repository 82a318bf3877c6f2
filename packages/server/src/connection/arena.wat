;; Copies within the arena (arena.ts). Short pieces go 16 bytes at a time and may write up to 15 bytes behind their end,
;; which the caller has left free; for long ones memory.copy is faster.
(module
  (import "arena" "memory" (memory 1))

  ;; Copies `head` and behind it `body` to `to`; returns the address behind the body. The head is never empty.
  (func (export "append")
    (param $to i32) (param $head i32) (param $headBytes i32) (param $body i32) (param $bodyBytes i32)
    (result i32)
    (local $at i32)
    (loop $pieces
      (v128.store align=1
        (i32.add (local.get $to) (local.get $at))
        (v128.load align=1 (i32.add (local.get $head) (local.get $at))))
      (br_if $pieces
        (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 16))) (local.get $headBytes))))
    (call $copy
      (local.tee $to (i32.add (local.get $to) (local.get $headBytes)))
      (local.get $body)
      (local.get $bodyBytes))
    (i32.add (local.get $to) (local.get $bodyBytes)))

  (func $copy (export "copy") (param $to i32) (param $from i32) (param $bytes i32)
    (local $at i32)
    (if (i32.gt_u (local.get $bytes) (i32.const 256))
      (then
        (memory.copy (local.get $to) (local.get $from) (local.get $bytes))
        (return)))
    (loop $pieces
      (v128.store align=1
        (i32.add (local.get $to) (local.get $at))
        (v128.load align=1 (i32.add (local.get $from) (local.get $at))))
      (br_if $pieces
        (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 16))) (local.get $bytes))))))
