"""What all kernels have in common, in LLVM's language: a look at the arguments, and Python's lock.

Compiled once. Kernels call it by the table of addresses, so that each of them is little more than
its loops. Arrays are read where C extensions read them: the places of the fields are NumPy's C API
(`PyArrayObject_fields`, the same since 1.7); `machine.available` tries whether they hold.
"""

from __future__ import annotations

from shared.kernels.scalars import LLVM_TYPES

HEAD = object.__basicsize__
"""Bytes of what every Python object begins with; its type is the last pointer of them."""
DATA, NDIM, SIZES, DTYPE, FLAGS = HEAD, HEAD + 8, HEAD + 16, HEAD + 40, HEAD + 48
"""Where an array keeps its fields."""
PLAIN = 0x0001 | 0x0100  # C order, aligned
WRITABLE = PLAIN | 0x0400

ENTRIES = (
    "type", "answer", "release", "acquire", "fits", "plain", "enter", "leave", *(d.name for d in LLVM_TYPES),
)  # fmt: skip
"""The table: ndarray; PyBool_FromLong, PyEval_SaveThread and PyEval_RestoreThread; the four
functions below; the dtypes. Behind them stand the numbers that a kernel is handed, as doubles."""

PLAN_HEAD, PLAN_EACH = 3, 5
"""A plan of the arguments is whole numbers: how many there are, how many of them are outputs, the
number of axes (-1: any). Then for each its dtype's place in the table, its bytes per element, its
number of axes, a bit for each axis that is as long as the loop's, and how many blocks stand side by
side on its last axis. The loop's axes are the first output's, its last one by block."""

SOURCE = f"""
define i1 @diptych_plain(ptr %x, ptr %table, i64 %dtype, i64 %ndim, i32 %flags) {{
  %type_at = getelementptr i8, ptr %x, i64 {HEAD - 8}
  %type = load ptr, ptr %type_at
  %array = load ptr, ptr %table
  %is_array = icmp eq ptr %type, %array
  br i1 %is_array, label %look, label %other
look:
  %its_ndim = call i64 @ndim_of(ptr %x)
  %any_ndim = icmp slt i64 %ndim, 0
  %equal_ndim = icmp eq i64 %its_ndim, %ndim
  %same_ndim = or i1 %any_ndim, %equal_ndim
  %dtype_at = getelementptr i8, ptr %x, i64 {DTYPE}
  %its_dtype = load ptr, ptr %dtype_at
  %wanted_at = getelementptr ptr, ptr %table, i64 %dtype
  %wanted = load ptr, ptr %wanted_at
  %same_dtype = icmp eq ptr %its_dtype, %wanted
  %flags_at = getelementptr i8, ptr %x, i64 {FLAGS}
  %its_flags = load i32, ptr %flags_at
  %set = and i32 %its_flags, %flags
  %all_set = icmp eq i32 %set, %flags
  %both = and i1 %same_ndim, %same_dtype
  %all = and i1 %both, %all_set
  ret i1 %all
other:
  ret i1 false
}}
define internal i64 @ndim_of(ptr %x) {{
  %at = getelementptr i8, ptr %x, i64 {NDIM}
  %y = load i32, ptr %at
  %wide = zext i32 %y to i64
  ret i64 %wide
}}
define internal i64 @size_of(ptr %x, i64 %axis) {{
  %at = getelementptr i8, ptr %x, i64 {SIZES}
  %sizes = load ptr, ptr %at
  %size_at = getelementptr i64, ptr %sizes, i64 %axis
  %y = load i64, ptr %size_at
  ret i64 %y
}}
define internal i64 @count_of(ptr %x) {{
  %ndim = call i64 @ndim_of(ptr %x)
  br label %head
head:
  %axis = phi i64 [ 0, %0 ], [ %next, %body ]
  %count = phi i64 [ 1, %0 ], [ %more, %body ]
  %inside = icmp ult i64 %axis, %ndim
  br i1 %inside, label %body, label %done
body:
  %size = call i64 @size_of(ptr %x, i64 %axis)
  %more = mul i64 %count, %size
  %next = add i64 %axis, 1
  br label %head, !llvm.loop !0
done:
  ret i64 %count
}}
define internal i1 @same_shape(ptr %x, ptr %y) {{
  %ndim = call i64 @ndim_of(ptr %x)
  %other = call i64 @ndim_of(ptr %y)
  %alike = icmp eq i64 %ndim, %other
  br i1 %alike, label %head, label %differ
head:
  %axis = phi i64 [ 0, %0 ], [ %next, %body ]
  %inside = icmp ult i64 %axis, %ndim
  br i1 %inside, label %body, label %same
body:
  %size = call i64 @size_of(ptr %x, i64 %axis)
  %size_y = call i64 @size_of(ptr %y, i64 %axis)
  %equal = icmp eq i64 %size, %size_y
  %next = add i64 %axis, 1
  br i1 %equal, label %head, label %differ, !llvm.loop !0
same:
  ret i1 true
differ:
  ret i1 false
}}

; Whether the axes of x are as long as its plan says, of which sizes[] has the loop's.
define internal i1 @follows(ptr %x, i64 %rank, i64 %bits, i64 %blocks, ptr %sizes) {{
  %ndim = call i64 @ndim_of(ptr %x)
  %lead = sub i64 %rank, %ndim
  br label %head
head:
  %own = phi i64 [ 0, %0 ], [ %next, %body ]
  %inside = icmp ult i64 %own, %ndim
  br i1 %inside, label %body, label %fine
body:
  %size = call i64 @size_of(ptr %x, i64 %own)
  %axis = add i64 %own, %lead
  %whole_at = getelementptr i64, ptr %sizes, i64 %axis
  %whole = load i64, ptr %whole_at
  %shifted = lshr i64 %bits, %own
  %bit = trunc i64 %shifted to i1
  %block = select i1 %bit, i64 %whole, i64 1
  %next = add i64 %own, 1
  %is_last = icmp eq i64 %next, %ndim
  %times = select i1 %is_last, i64 %blocks, i64 1
  %wanted = mul i64 %block, %times
  %fits = icmp eq i64 %size, %wanted
  br i1 %fits, label %head, label %differs, !llvm.loop !0
fine:
  ret i1 true
differs:
  ret i1 false
}}

; Whether an output may be written while x is read: they are apart, or (of equal elements, and if x
; is an input) in the very same place, where each element is read before it is written.
define internal i1 @apart(ptr %out, i64 %out_item, ptr %x, i64 %x_item, i1 %input) {{
  %out_data = call ptr @data_of(ptr %out)
  %x_data = call ptr @data_of(ptr %x)
  %out_count = call i64 @count_of(ptr %out)
  %x_count = call i64 @count_of(ptr %x)
  %out_bytes = mul i64 %out_count, %out_item
  %x_bytes = mul i64 %x_count, %x_item
  %out_end = getelementptr i8, ptr %out_data, i64 %out_bytes
  %x_end = getelementptr i8, ptr %x_data, i64 %x_bytes
  %before = icmp ule ptr %out_end, %x_data
  %behind = icmp ule ptr %x_end, %out_data
  %clear = or i1 %before, %behind
  %same_place = icmp eq ptr %out_data, %x_data
  %same_item = icmp eq i64 %out_item, %x_item
  %same_count = icmp eq i64 %out_count, %x_count
  %same_1 = and i1 %same_place, %same_item
  %same_2 = and i1 %same_1, %same_count
  %same = and i1 %same_2, %input
  %fine = or i1 %clear, %same
  ret i1 %fine
}}
define internal ptr @data_of(ptr %x) {{
  %at = getelementptr i8, ptr %x, i64 {DATA}
  %y = load ptr, ptr %at
  ret ptr %y
}}

; Whether the arguments are as planned. Fills in the sizes of the first output's axes (their product
; alone where any number of axes will do), and where each argument's elements begin.
define i1 @diptych_fits(ptr %arguments, i64 %given, ptr %table, ptr %plan, ptr %sizes, ptr %data) {{
  %count = load i64, ptr %plan
  %outs_at = getelementptr i64, ptr %plan, i64 1
  %outs = load i64, ptr %outs_at
  %rank_at = getelementptr i64, ptr %plan, i64 2
  %rank = load i64, ptr %rank_at
  %each = getelementptr i64, ptr %plan, i64 {PLAN_HEAD}
  %any_rank = icmp slt i64 %rank, 0
  %right_count = icmp eq i64 %given, %count
  br i1 %right_count, label %kinds, label %refuse

kinds:
  %i = phi i64 [ 0, %0 ], [ %i_next, %kind_fits ]
  %i_inside = icmp ult i64 %i, %count
  br i1 %i_inside, label %kind, label %measure
kind:
  %x_at = getelementptr ptr, ptr %arguments, i64 %i
  %x = load ptr, ptr %x_at
  %mine = getelementptr [{PLAN_EACH} x i64], ptr %each, i64 %i
  %dtype = load i64, ptr %mine
  %ndim_at = getelementptr i64, ptr %mine, i64 2
  %own_ndim = load i64, ptr %ndim_at
  %ndim = select i1 %any_rank, i64 -1, i64 %own_ndim
  %is_out = icmp ult i64 %i, %outs
  %flags = select i1 %is_out, i32 {WRITABLE}, i32 {PLAIN}
  %plain = call i1 @diptych_plain(ptr %x, ptr %table, i64 %dtype, i64 %ndim, i32 %flags)
  br i1 %plain, label %kind_fits, label %refuse
kind_fits:
  %begins = call ptr @data_of(ptr %x)
  %begins_at = getelementptr ptr, ptr %data, i64 %i
  store ptr %begins, ptr %begins_at
  %i_next = add i64 %i, 1
  br label %kinds, !llvm.loop !0

measure:
  %first = load ptr, ptr %arguments
  %first_blocks_at = getelementptr i64, ptr %each, i64 4
  %first_blocks = load i64, ptr %first_blocks_at
  br i1 %any_rank, label %whole, label %axes
whole:
  %elements = call i64 @count_of(ptr %first)
  store i64 %elements, ptr %sizes
  br label %shapes
axes:
  %axis = phi i64 [ 0, %measure ], [ %axis_next, %axis_keep ]
  %axis_inside = icmp slt i64 %axis, %rank
  br i1 %axis_inside, label %axis_body, label %shapes
axis_body:
  %full = call i64 @size_of(ptr %first, i64 %axis)
  %axis_next = add i64 %axis, 1
  %axis_last = icmp eq i64 %axis_next, %rank
  %first_times = select i1 %axis_last, i64 %first_blocks, i64 1
  %size = udiv i64 %full, %first_times
  %rounded = mul i64 %size, %first_times
  %even = icmp eq i64 %rounded, %full
  br i1 %even, label %axis_keep, label %refuse
axis_keep:
  %size_at = getelementptr i64, ptr %sizes, i64 %axis
  store i64 %size, ptr %size_at
  br label %axes, !llvm.loop !0

shapes:
  %j = phi i64 [ 1, %whole ], [ 1, %axes ], [ %j_next, %shape_fits ]
  %j_inside = icmp ult i64 %j, %count
  br i1 %j_inside, label %shape, label %outputs
shape:
  %y_at = getelementptr ptr, ptr %arguments, i64 %j
  %y = load ptr, ptr %y_at
  %of_y = getelementptr [{PLAN_EACH} x i64], ptr %each, i64 %j
  %bits_at = getelementptr i64, ptr %of_y, i64 3
  %bits = load i64, ptr %bits_at
  %blocks_at = getelementptr i64, ptr %of_y, i64 4
  %blocks = load i64, ptr %blocks_at
  br i1 %any_rank, label %shape_any, label %shape_each
shape_each:
  %each_fits = call i1 @follows(ptr %y, i64 %rank, i64 %bits, i64 %blocks, ptr %sizes)
  br i1 %each_fits, label %shape_fits, label %refuse
shape_any:
  %moves = trunc i64 %bits to i1
  br i1 %moves, label %shape_same, label %shape_one
shape_same:
  %same = call i1 @same_shape(ptr %first, ptr %y)
  br i1 %same, label %shape_fits, label %refuse
shape_one:
  %y_count = call i64 @count_of(ptr %y)
  %one = icmp eq i64 %y_count, 1
  br i1 %one, label %shape_fits, label %refuse
shape_fits:
  %j_next = add i64 %j, 1
  br label %shapes, !llvm.loop !0

outputs:
  %o = phi i64 [ 0, %shapes ], [ %o_next, %others ]
  %o_next = add i64 %o, 1
  %o_inside = icmp ult i64 %o, %outs
  br i1 %o_inside, label %output, label %fine
output:
  %out_at = getelementptr ptr, ptr %arguments, i64 %o
  %out = load ptr, ptr %out_at
  %of_out = getelementptr [{PLAN_EACH} x i64], ptr %each, i64 %o
  %out_item_at = getelementptr i64, ptr %of_out, i64 1
  %out_item = load i64, ptr %out_item_at
  br label %others
others:
  %k = phi i64 [ %o_next, %output ], [ %k_next, %clear ]
  %k_inside = icmp ult i64 %k, %count
  br i1 %k_inside, label %other, label %outputs, !llvm.loop !0
other:
  %z_at = getelementptr ptr, ptr %arguments, i64 %k
  %z = load ptr, ptr %z_at
  %of_z = getelementptr [{PLAN_EACH} x i64], ptr %each, i64 %k
  %z_item_at = getelementptr i64, ptr %of_z, i64 1
  %z_item = load i64, ptr %z_item_at
  %is_input = icmp uge i64 %k, %outs
  %is_clear = call i1 @apart(ptr %out, i64 %out_item, ptr %z, i64 %z_item, i1 %is_input)
  br i1 %is_clear, label %clear, label %refuse
clear:
  %k_next = add i64 %k, 1
  br label %others, !llvm.loop !0

fine:
  ret i1 true
refuse:
  ret i1 false
}}

; Around long loops: other threads of Python may run meanwhile.
define ptr @diptych_enter(ptr %table) {{
  %at = getelementptr ptr, ptr %table, i64 {ENTRIES.index("release")}
  %release = load ptr, ptr %at
  %thread = call ptr %release()
  ret ptr %thread
}}
define void @diptych_leave(ptr %table, ptr %thread) {{
  %at = getelementptr ptr, ptr %table, i64 {ENTRIES.index("acquire")}
  %acquire = load ptr, ptr %at
  call void %acquire(ptr %thread)
  ret void
}}
!0 = distinct !{{!0, !1, !2}}
!1 = !{{!"llvm.loop.vectorize.enable", i1 false}}
!2 = !{{!"llvm.loop.unroll.disable"}}
"""
