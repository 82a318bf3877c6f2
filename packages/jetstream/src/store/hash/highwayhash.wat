;; HighwayHash-64 (github.com/google/highwayhash), the checksum of every record in nats-server's
;; store format (spec/jetstream.md 7.2). A 64-bit multiply and a byte shuffle per packet are what
;; JavaScript lacks; here they are one instruction each.
;;
;; Assembled into highwayhash.generated.ts by build-highwayhash.ts; a test rebuilds and compares.
;;
;; Memory:
;;     0  key, 32 bytes                        written by the caller
;;    32  result, 8 bytes little endian        written by `finish` and `record`
;;    64  state: v0, v1, mul0, mul1, 32 bytes each
;;   192  0xff x 32, 0x00 x 32                 masks for the last, partial packet
;;   256  window: bytes to hash                written by the caller; `record` moves bytes within it
;;
;; The window may be read up to 31 bytes past the data; they do not enter the result.
(module
  (memory (export "memory") 2 2)
  (data (i32.const 192)
    "\ff\ff\ff\ff\ff\ff\ff\ff\ff\ff\ff\ff\ff\ff\ff\ff\ff\ff\ff\ff\ff\ff\ff\ff\ff\ff\ff\ff\ff\ff\ff\ff")

  ;; Starts a hash with the key at 0.
  (func $start (export "start")
    (local $mul v128) (local $key v128)
    (v128.store (i32.const 128) (local.tee $mul (v128.const i64x2 0xdbe6d5d5fe4cce2f 0xa4093822299f31d0)))
    (v128.store (i32.const 64) (v128.xor (local.get $mul) (v128.load (i32.const 0))))
    (v128.store (i32.const 144) (local.tee $mul (v128.const i64x2 0x13198a2e03707344 0x243f6a8885a308d3)))
    (v128.store (i32.const 80) (v128.xor (local.get $mul) (v128.load (i32.const 16))))
    (v128.store (i32.const 160) (local.tee $mul (v128.const i64x2 0x3bd39e10cb0ef593 0xc0acf169b5f18a8c)))
    (local.set $key (v128.load (i32.const 0)))
    (v128.store (i32.const 96) (v128.xor (local.get $mul)
      (i8x16.shuffle 4 5 6 7 0 1 2 3 12 13 14 15 8 9 10 11 (local.get $key) (local.get $key))))
    (v128.store (i32.const 176) (local.tee $mul (v128.const i64x2 0xbe5466cf34e90c6c 0x452821e638d01377)))
    (local.set $key (v128.load (i32.const 16)))
    (v128.store (i32.const 112) (v128.xor (local.get $mul)
      (i8x16.shuffle 4 5 6 7 0 1 2 3 12 13 14 15 8 9 10 11 (local.get $key) (local.get $key)))))

  ;; Takes in the whole packets in [$at, $end); the length is a multiple of 32 (or $permutations
  ;; is not 0: then that many rounds over the permuted state instead, for `finish`).
  (func $rounds (param $at i32) (param $end i32) (param $permutations i32)
    (local $v0a v128) (local $v0b v128) (local $v1a v128) (local $v1b v128)
    (local $m0a v128) (local $m0b v128) (local $m1a v128) (local $m1b v128)
    (local $pa v128) (local $pb v128)
    (local.set $v0a (v128.load (i32.const 64)))  (local.set $v0b (v128.load (i32.const 80)))
    (local.set $v1a (v128.load (i32.const 96)))  (local.set $v1b (v128.load (i32.const 112)))
    (local.set $m0a (v128.load (i32.const 128))) (local.set $m0b (v128.load (i32.const 144)))
    (local.set $m1a (v128.load (i32.const 160))) (local.set $m1b (v128.load (i32.const 176)))
    (block $done
      (loop $packet
        (if (local.get $permutations)
          (then
            (if (i32.eq (local.get $permutations) (i32.const 5)) (then (br $done)))
            (local.set $permutations (i32.add (local.get $permutations) (i32.const 1)))
            ;; The halves of v0 swapped, each lane rotated by 32.
            (local.set $pa (i8x16.shuffle 4 5 6 7 0 1 2 3 12 13 14 15 8 9 10 11 (local.get $v0b) (local.get $v0b)))
            (local.set $pb (i8x16.shuffle 4 5 6 7 0 1 2 3 12 13 14 15 8 9 10 11 (local.get $v0a) (local.get $v0a))))
          (else
            (br_if $done (i32.ge_u (local.get $at) (local.get $end)))
            (local.set $pa (v128.load (local.get $at)))
            (local.set $pb (v128.load offset=16 (local.get $at)))
            (local.set $at (i32.add (local.get $at) (i32.const 32)))))

        ;; v1 += mul0 + packet
        (local.set $v1a (i64x2.add (local.get $v1a) (i64x2.add (local.get $m0a) (local.get $pa))))
        (local.set $v1b (i64x2.add (local.get $v1b) (i64x2.add (local.get $m0b) (local.get $pb))))
        ;; mul0 ^= low32(v1) * high32(v0): the lanes side by side, so that one widening multiply does both
        (local.set $m0a (v128.xor (local.get $m0a) (i64x2.extmul_low_i32x4_u
          (i8x16.shuffle 0 1 2 3 8 9 10 11 0 1 2 3 8 9 10 11 (local.get $v1a) (local.get $v1a))
          (i8x16.shuffle 4 5 6 7 12 13 14 15 4 5 6 7 12 13 14 15 (local.get $v0a) (local.get $v0a)))))
        (local.set $m0b (v128.xor (local.get $m0b) (i64x2.extmul_low_i32x4_u
          (i8x16.shuffle 0 1 2 3 8 9 10 11 0 1 2 3 8 9 10 11 (local.get $v1b) (local.get $v1b))
          (i8x16.shuffle 4 5 6 7 12 13 14 15 4 5 6 7 12 13 14 15 (local.get $v0b) (local.get $v0b)))))
        ;; v0 += mul1
        (local.set $v0a (i64x2.add (local.get $v0a) (local.get $m1a)))
        (local.set $v0b (i64x2.add (local.get $v0b) (local.get $m1b)))
        ;; mul1 ^= low32(v0) * high32(v1)
        (local.set $m1a (v128.xor (local.get $m1a) (i64x2.extmul_low_i32x4_u
          (i8x16.shuffle 0 1 2 3 8 9 10 11 0 1 2 3 8 9 10 11 (local.get $v0a) (local.get $v0a))
          (i8x16.shuffle 4 5 6 7 12 13 14 15 4 5 6 7 12 13 14 15 (local.get $v1a) (local.get $v1a)))))
        (local.set $m1b (v128.xor (local.get $m1b) (i64x2.extmul_low_i32x4_u
          (i8x16.shuffle 0 1 2 3 8 9 10 11 0 1 2 3 8 9 10 11 (local.get $v0b) (local.get $v0b))
          (i8x16.shuffle 4 5 6 7 12 13 14 15 4 5 6 7 12 13 14 15 (local.get $v1b) (local.get $v1b)))))
        ;; v0 += zipper(v1); v1 += zipper(v0)
        (local.set $v0a (i64x2.add (local.get $v0a)
          (i8x16.shuffle 3 12 2 5 14 1 15 0 11 4 10 13 9 6 8 7 (local.get $v1a) (local.get $v1a))))
        (local.set $v0b (i64x2.add (local.get $v0b)
          (i8x16.shuffle 3 12 2 5 14 1 15 0 11 4 10 13 9 6 8 7 (local.get $v1b) (local.get $v1b))))
        (local.set $v1a (i64x2.add (local.get $v1a)
          (i8x16.shuffle 3 12 2 5 14 1 15 0 11 4 10 13 9 6 8 7 (local.get $v0a) (local.get $v0a))))
        (local.set $v1b (i64x2.add (local.get $v1b)
          (i8x16.shuffle 3 12 2 5 14 1 15 0 11 4 10 13 9 6 8 7 (local.get $v0b) (local.get $v0b))))
        (br $packet)))
    (v128.store (i32.const 64) (local.get $v0a))  (v128.store (i32.const 80) (local.get $v0b))
    (v128.store (i32.const 96) (local.get $v1a))  (v128.store (i32.const 112) (local.get $v1b))
    (v128.store (i32.const 128) (local.get $m0a)) (v128.store (i32.const 144) (local.get $m0b))
    (v128.store (i32.const 160) (local.get $m1a)) (v128.store (i32.const 176) (local.get $m1b)))

  ;; Takes in $length bytes at $at; $length is a multiple of 32.
  (func (export "update") (param $at i32) (param $length i32)
    (call $rounds (local.get $at) (i32.add (local.get $at) (local.get $length)) (i32.const 0)))

  ;; Takes in the 1 to 31 bytes at $at that are left after the last whole packet. Overwrites the
  ;; 32 bytes at $at with the packet they make.
  (func $remainder (param $at i32) (param $length i32)
    (local $v v128) (local $mask i32) (local $tail i32) (local $i i32)
    ;; v0 += length in both halves of each lane
    (local.set $v (i32x4.splat (local.get $length)))
    (v128.store (i32.const 64) (i64x2.add (v128.load (i32.const 64)) (local.get $v)))
    (v128.store (i32.const 80) (i64x2.add (v128.load (i32.const 80)) (local.get $v)))
    ;; each 32-bit half of v1 rotated left by length
    (local.set $v (v128.load (i32.const 96)))
    (v128.store (i32.const 96) (v128.or (i32x4.shl (local.get $v) (local.get $length))
      (i32x4.shr_u (local.get $v) (i32.sub (i32.const 32) (local.get $length)))))
    (local.set $v (v128.load (i32.const 112)))
    (v128.store (i32.const 112) (v128.or (i32x4.shl (local.get $v) (local.get $length))
      (i32x4.shr_u (local.get $v) (i32.sub (i32.const 32) (local.get $length)))))
    ;; The last one to four bytes, which go to the end of the packet.
    (if (i32.and (local.get $length) (i32.const 16))
      (then
        (local.set $tail (i32.load (i32.sub (i32.add (local.get $at) (local.get $length)) (i32.const 4)))))
      (else
        (if (i32.and (local.get $length) (i32.const 3))
          (then
            (local.set $i (i32.add (local.get $at) (i32.and (local.get $length) (i32.const 28))))
            (local.set $tail (i32.or
              (i32.or
                (i32.load8_u (local.get $i))
                (i32.shl
                  (i32.load8_u (i32.add (local.get $i)
                    (i32.shr_u (i32.and (local.get $length) (i32.const 3)) (i32.const 1))))
                  (i32.const 8)))
              (i32.shl
                (i32.load8_u (i32.sub (i32.add (local.get $at) (local.get $length)) (i32.const 1)))
                (i32.const 16))))))))
    ;; Whole words stay, the rest of the packet is zero.
    (local.set $mask (i32.sub (i32.const 224) (i32.and (local.get $length) (i32.const 28))))
    (v128.store (local.get $at) (v128.and (v128.load (local.get $at)) (v128.load (local.get $mask))))
    (v128.store offset=16 (local.get $at)
      (v128.and (v128.load offset=16 (local.get $at)) (v128.load offset=16 (local.get $mask))))
    (if (i32.and (local.get $length) (i32.const 16))
      (then (i32.store offset=28 (local.get $at) (local.get $tail)))
      (else (i32.store offset=16 (local.get $at) (local.get $tail))))
    (call $rounds (local.get $at) (i32.add (local.get $at) (i32.const 32)) (i32.const 0)))

  ;; Takes in the last $length bytes at $at and writes the result.
  (func $finish (export "finish") (param $at i32) (param $length i32)
    (local $whole i32) (local $sum v128)
    (local.set $whole (i32.and (local.get $length) (i32.const -32)))
    (call $rounds (local.get $at) (i32.add (local.get $at) (local.get $whole)) (i32.const 0))
    (if (i32.and (local.get $length) (i32.const 31))
      (then (call $remainder
        (i32.add (local.get $at) (local.get $whole))
        (i32.and (local.get $length) (i32.const 31)))))
    (call $rounds (i32.const 0) (i32.const 0) (i32.const 1))
    (local.set $sum (i64x2.add
      (i64x2.add (v128.load (i32.const 64)) (v128.load (i32.const 96)))
      (i64x2.add (v128.load (i32.const 128)) (v128.load (i32.const 160)))))
    (i64.store (i32.const 32) (i64x2.extract_lane 0 (local.get $sum))))

  ;; Hashes the store record that lies whole in the window at $at (layout: spec/jetstream.md 7.2).
  ;; Sequence and time, subject, header and payload are hashed, the lengths between them are not:
  ;; the bytes in front move up over them, so that all of it is one run. Its own length must be sane.
  (func (export "record") (param $at i32)
    (local $length i32) (local $skip i32)
    (local.set $length (i32.and (i32.load (local.get $at)) (i32.const 0x7fffffff)))
    (local.set $skip (i32.const 2))
    (if (i32.lt_s (i32.load (local.get $at)) (i32.const 0))
      (then
        (local.set $skip (i32.const 6))
        (memory.copy
          (i32.add (local.get $at) (i32.const 26))
          (i32.add (local.get $at) (i32.const 22))
          (i32.load16_u offset=20 (local.get $at)))))
    (v128.store offset=4 (i32.add (local.get $at) (local.get $skip)) (v128.load offset=4 (local.get $at)))
    (call $start)
    (call $finish
      (i32.add (local.get $at) (i32.add (local.get $skip) (i32.const 4)))
      ;; without length (4), the skipped ones and the hash (8)
      (i32.sub (local.get $length) (i32.add (local.get $skip) (i32.const 12))))))
