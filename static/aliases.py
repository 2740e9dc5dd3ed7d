"""TensorFlow 1's names: where each is here, and how it is called. This is the one table of them.

A row is a place, `file:name`, as a word of `PLACES` and a name in that module; and, where the arguments are
called or ordered otherwise than there, TensorFlow 1's own (see `static.words.word.arguments`). Every function
takes `name=` as well. `ABSENT` says what to write for what is not here.
"""

from __future__ import annotations

from typing import Any

from static.words.namespaces import Row, Words

PLACES = {
    "ops": "shared.ops", "errors": "shared.errors", "logging": "logging",
    "arrays": "static.words.arrays", "averages": "static.words.averages",
    "clipping": "static.words.clipping", "collections": "static.graph.collections",
    "cond": "static.control.cond", "config": "static.run.config", "data": "static.words.data",
    "differentiate": "static.differentiate", "dtypes": "static.words.dtypes",
    "effects": "static.graph.effects", "events": "static.events.writer", "flow": "static.words.flow",
    "images": "static.words.images", "initializers": "static.words.initializers",
    "layers": "static.words.layers", "losses": "static.words.losses", "nn": "static.words.nn",
    "optimizers": "static.words.optimizers", "random": "static.graph.random", "rates": "static.words.rates",
    "rnn": "static.words.rnn", "saver": "static.run.saver", "scan": "static.control.scan",
    "shapes": "static.graph.tensor_shape", "static": "static.graph.scopes", "summary": "static.words.summary",
    "variables": "static.graph.variables",
}  # fmt: skip


def _rows(file: str, names: str, takes: str | None = None, under: str = "") -> dict[str, Row]:
    """Names that stand in one file, each as it is called there, or as `here=there`."""
    found: dict[str, Row] = {}
    for name in names.split():
        here, _, there = name.partition("=")
        place = f"{file}:{there or here}"
        found[f"{under}{here}"] = place if takes is None else (place, takes)
    return found


_AXES = "x|input_tensor axis|reduction_indices keepdims|keep_dims"
_IDLE = "~parallel_iterations ~back_prop ~swap_memory ~infer_shape"

ROWS: dict[str, Row] = {
    # dtypes
    **_rows("dtypes", "float16 float32 float64 int8 int16 int32 int64 uint8 uint16 uint32 uint64 "
                      "bool=boolean half=float16 double=float64 complex64 complex128 as_dtype"),
    # arithmetic
    **_rows("ops", "abs exp log log1p expm1 sqrt rsqrt square sin cos tan tanh sigmoid sign floor ceil round "
                   "negative=neg neg erf erfc reciprocal is_nan=isnan is_finite=isfinite is_inf=isinf "
                   "log_sigmoid logical_not asin acos atan sinh cosh asinh acosh atanh lgamma digamma",
            "x|features /"),
    **_rows("ops", "add subtract=sub sub multiply=mul mul divide=div truediv=div realdiv=div pow maximum "
                   "minimum equal not_equal less less_equal greater greater_equal logical_and logical_or "
                   "logical_xor atan2 floordiv=floor_divide floor_div=floor_divide mod=remainder "
                   "floormod=remainder truncatemod=fmod",
            "x y /"),
    "squared_difference": "arrays:squared_difference",
    "div": "arrays:div", "add_n": "arrays:add_n", "accumulate_n": "arrays:add_n",
    "matmul": "arrays:matmul",
    "tensordot": ("ops:tensordot", "a b / axes"), "einsum": "ops:einsum", "trace": ("ops:trace", "x /"),
    "norm": ("ops:norm", "tensor / p|ord:2 axis keepdims|keep_dims"),
    "cast": ("ops:cast", "x / dtype"),
    "to_float": ("ops:cast", "x / dtype:'float32'"), "to_double": ("ops:cast", "x / dtype:'float64'"),
    "to_int32": ("ops:cast", "x / dtype:'int32'"), "to_int64": ("ops:cast", "x / dtype:'int64'"),
    "clip_by_value": "clipping:clip_by_value", "clip_by_norm": "clipping:clip_by_norm",
    "clip_by_global_norm": "clipping:clip_by_global_norm", "global_norm": "clipping:global_norm",
    # reducing
    **_rows("arrays", "reduce_sum reduce_mean reduce_max reduce_min reduce_prod reduce_any reduce_all "
                      "reduce_logsumexp reduce_log_sum_exp=reduce_logsumexp", _AXES),
    **_rows("arrays", "argmax argmin arg_max=argmax arg_min=argmin",
            "x|input axis|dimension output_type"),
    **_rows("ops", "cumsum cumprod", "x / axis:0"),
    "count_nonzero": ("ops:count_nonzero", "x|input_tensor / axis keepdims|keep_dims"),
    "sort": ("ops:sort", "values / axis:-1"), "argsort": ("ops:argsort", "values / axis:-1"),
    "nn.top_k": "nn:top_k",
    # shapes
    "shape": ("arrays:shape", "x|input ~out_type"), "size": ("arrays:size", "x|input ~out_type"),
    "rank": ("arrays:rank", "x|input"), "TensorShape": "shapes:TensorShape", "Dimension": "shapes:Dimension",
    "reshape": ("arrays:reshape", "x|tensor shape"), "squeeze": ("ops:squeeze", "input / axis|squeeze_dims"),
    "expand_dims": ("ops:expand_dims", "input / axis|dim:0"), "transpose": ("ops:transpose", "a / axes|perm"),
    "matrix_transpose": ("ops:swapaxes", "a / axis1:-1 axis2:-2"),
    "tile": ("ops:tile", "input / reps|multiples"),
    "pad": ("arrays:pad", "x|tensor paddings mode constant_values"),
    "reverse": ("ops:flip", "tensor / axis"), "broadcast_to": ("ops:broadcast_to", "input / shape"),
    **_rows("arrays", "concat stack pack=stack unstack unpack=unstack split boolean_mask where"),
    "slice": ("arrays:part", "x|input_ begin size"),
    "gather_nd": ("ops:gather_nd", "params indices /"), "diag": ("ops:diag", "diagonal /"),
    "diag_part": ("ops:diag", "input /"), "meshgrid": "ops:meshgrid",
    "roll": ("ops:roll", "input / shift axis"), "sequence_mask": "arrays:sequence_mask",
    "searchsorted": ("ops:searchsorted", "sorted_sequence values / side"),
    "gather": ("ops:take", "params indices / ~validate_indices axis:0"),
    # making
    **_rows("arrays", "convert_to_tensor fill zeros ones eye one_hot"),
    "zeros_like": ("ops:zeros_like", "tensor / dtype ~optimize"),
    "ones_like": ("ops:ones_like", "tensor / dtype ~optimize"),
    "range": ("ops:arange", "start stop|limit step|delta:1 dtype"),
    **_rows("ops", "linspace lin_space=linspace", "start stop num"),
    **_rows("random", "random_normal random_uniform truncated_normal random_shuffle multinomial"),
    # variables
    "assign": ("variables:assign", "variable|ref value ~validate_shape ~use_locking"),
    "assign_add": ("variables:assign_add", "variable|ref delta|value ~use_locking"),
    "assign_sub": ("variables:assign_sub", "variable|ref delta|value ~use_locking"),
    **_rows("variables", "scatter_update scatter_add scatter_sub",
            "variable|ref indices updates ~use_locking"),
    **_rows("collections", "get_collection_ref"),
    "initialize_all_variables": "variables:global_variables_initializer",
    "variables_initializer": "flow:variables_initializer", "all_variables": "collections:global_variables",
    "initializers.global_variables": "variables:global_variables_initializer",
    "local_variables_initializer": "losses:local_variables_initializer",
    "VariableScope": "static:VariableScope",
    # gradients, effects, control
    "gradients": ("differentiate:gradients", "ys xs grad_ys stop_gradients unconnected "
                  "~colocate_gradients_with_ops ~gate_gradients ~aggregation_method"),
    "hessians": "flow:hessians",
    **_rows("effects", "stop_gradient", "x|input"),
    "Print": ("effects:Print", "x|input_ data message ~first_n summarize"),
    "Assert": ("effects:Assert", "condition data message ~summarize"),
    "check_numerics": ("effects:check_numerics", "x|tensor message"),
    "cond": ("cond:cond", "pred / true_fn|fn1 false_fn|fn2 ~strict args"),
    "while_loop": "flow:while_loop", "no_op": "flow:no_op", "tuple": "arrays:joined", "device": "flow:device",
    "map_fn": ("scan:map_fn", f"fn elems ~dtype {_IDLE}"),
    # sessions
    **_rows("config", "ConfigProto GPUOptions"),
    # nn
    **_rows("ops", "relu relu6 selu sigmoid softplus softsign tanh elu log_sigmoid", "x|features /", "nn."),
    **_rows("ops", "softmax log_softmax", "x|logits / axis|dim", "nn."),
    "softmax": ("ops:softmax", "x|logits / axis|dim"),
    "nn.leaky_relu": ("ops:leaky_relu", "x|features / negative_slope|alpha:0.2"),
    **_rows("nn", "softmax_cross_entropy_with_logits softmax_cross_entropy_with_logits_v2 "
                  "sparse_softmax_cross_entropy_with_logits sigmoid_cross_entropy_with_logits "
                  "weighted_cross_entropy_with_logits l2_loss moments batch_normalization l2_normalize "
                  "dropout bias_add in_top_k zero_fraction xw_plus_b log_uniform_candidate_sampler nce_loss "
                  "sampled_softmax_loss", under="nn."),
    "nn.embedding_lookup": ("nn:embedding_lookup", "params ids ~partition_strategy ~validate_indices"),
    "nn.conv2d": ("images:conv2d", "x|input weight|filter|filters strides padding ~use_cudnn_on_gpu "
                  "data_format dilations"),
    "nn.conv2d_transpose": ("images:conv2d_transpose", "x|value|input weight|filter|filters output_shape "
                            "strides padding data_format"),
    **_rows("images", "max_pool avg_pool", "x|value|input ksize strides padding data_format", "nn."),
    **_rows("images", "lrn local_response_normalization=lrn", under="nn."),
    **_rows("rnn", "dynamic_rnn static_rnn bidirectional_dynamic_rnn", under="nn."),
    **_rows("rnn", "RNNCell BasicRNNCell BasicLSTMCell LSTMCell GRUCell MultiRNNCell DropoutWrapper "
                   "LSTMStateTuple", under="nn.rnn_cell."),
    # layers
    **_rows("layers", "dense conv2d conv2d_transpose batch_normalization dropout flatten max_pooling2d "
                      "average_pooling2d Dense Conv2D Conv2DTranspose BatchNormalization Dropout Flatten "
                      "MaxPooling2D AveragePooling2D", under="layers."),
    # initialisers
    **_rows("initializers", "zeros_initializer=Zeros ones_initializer=Ones constant_initializer=Constant "
                            "random_uniform_initializer=RandomUniform random_normal_initializer=RandomNormal "
                            "truncated_normal_initializer=TruncatedNormal orthogonal_initializer=Orthogonal "
                            "glorot_uniform_initializer=glorot_uniform "
                            "glorot_normal_initializer=glorot_normal "
                            "uniform_unit_scaling_initializer=glorot_uniform "
                            "variance_scaling_initializer=VarianceScaling"),
    **_rows("initializers", "zeros=Zeros ones=Ones constant=Constant random_uniform=RandomUniform "
                            "random_normal=RandomNormal truncated_normal=TruncatedNormal "
                            "orthogonal=Orthogonal glorot_uniform glorot_normal he_normal he_uniform "
                            "variance_scaling=VarianceScaling",
            under="initializers."),
    **_rows("initializers", "xavier_initializer xavier_initializer_conv2d=xavier_initializer "
                            "variance_scaling_initializer l1_regularizer l2_regularizer",
            under="contrib.layers."),
    # contrib
    **_rows("layers", "flatten fully_connected", under="contrib.layers."),
    **_rows("rnn", "RNNCell BasicRNNCell BasicLSTMCell LSTMCell GRUCell MultiRNNCell DropoutWrapper "
                   "LSTMStateTuple static_rnn", under="contrib.rnn."),
    **_rows("rates", "get_global_step get_or_create_global_step", under="contrib.framework."),
    # losses, metrics
    **_rows("losses", "softmax_cross_entropy sparse_softmax_cross_entropy sigmoid_cross_entropy "
                      "mean_squared_error absolute_difference huber_loss compute_weighted_loss get_losses "
                      "get_regularization_losses get_regularization_loss get_total_loss", under="losses."),
    "contrib.seq2seq.sequence_loss": "losses:sequence_loss",
    **_rows("losses", "accuracy mean mean_squared_error=mean_metric_squared_error", under="metrics."),
    # training
    **_rows("optimizers", "Optimizer GradientDescentOptimizer MomentumOptimizer AdamOptimizer "
                          "RMSPropOptimizer AdagradOptimizer AdadeltaOptimizer", under="train."),
    **_rows("rates", "exponential_decay natural_exp_decay inverse_time_decay polynomial_decay cosine_decay "
                     "piecewise_constant get_global_step create_global_step get_or_create_global_step "
                     "global_step", under="train."),
    "train.ExponentialMovingAverage": "averages:ExponentialMovingAverage",
    "train.Saver": "saver:Saver", "train.latest_checkpoint": "saver:latest_checkpoint",
    "train.get_checkpoint_state": "saver:get_checkpoint_state",
    # images, data, summaries
    **_rows("images", "resize_images", under="image."),
    "data.Dataset": "data:Dataset", "errors.OutOfRangeError": "errors:OutOfRangeError",
    **_rows("errors", "InvalidArgumentError=MissingFeedError FailedPreconditionError=UninitializedError",
            under="errors."),
    **_rows("summary", "scalar histogram image merge merge_all", under="summary."),
    "summary.FileWriter": "events:FileWriter",
    # programs
    "app.run": "flow:run_app", "logging.set_verbosity": "flow:set_verbosity",
    **_rows("logging", "DEBUG INFO WARN=WARNING ERROR FATAL debug info warn=warning warning error",
            under="logging."),
    **_rows("flow", "TRAIN EVAL PREDICT", under="estimator.ModeKeys."),
}  # fmt: skip

_EAGER = "import dynamic: its Tensors compute at once, with the same ops, layers and optimisers"
_ESTIMATOR = "write the loop: build the graph by your model_fn, and run what it gives on batches"
_QUEUES = "feed batches: for x, y in shared.data.DataLoader(...): session.run(train, {...}), or data.Dataset"
_FILES = "read files with Python, and feed arrays: Pillow's Image.open(path), numpy.asarray(image)"
_STRINGS = "a graph holds numbers: encode text before it is fed, as shared.data.Vocabulary does"
_PROTO = "graph.save(path) keeps a graph and its weights, static.load(path) runs it; static.show prints it"
_PLACES = 'one process runs a session: Session(device="cuda") says where'

ABSENT = {
    "enable_eager_execution": _EAGER, "contrib.eager": _EAGER, "executing_eagerly": _EAGER,
    "estimator": _ESTIMATOR, "contrib.learn": _ESTIMATOR, "feature_column": _ESTIMATOR,
    "keras": "layers.dense and its like, or shared.nn, whose layers are objects; the loop is Python's",
    "contrib.layers": "layers.dense, layers.conv2d, layers.batch_normalization and their like",
    "contrib.rnn": "nn.rnn_cell, nn.static_rnn, nn.dynamic_rnn", "contrib": "docs/static.md has what is here",
    "layers": "layers.dense, conv2d, max_pooling2d and their like; all layers are in shared.nn",
    "train": "shared.optim has more rules, and schedules", "losses": "losses of shared.ops, by element",
    "nn": "shared.ops has more", "metrics": "metrics.mean and accuracy; count with NumPy what a run gives",
    "app.flags": "Python's argparse",
    "contrib.slim": "layers.dense and its like; variable_scope(regularizer=...) in the place of arg_scope",
    "contrib.seq2seq": "write the decoder as a loop: nn.dynamic_rnn, or static.scan",
    "train.slice_input_producer": _QUEUES, "train.start_queue_runners": _QUEUES, "train.batch": _QUEUES,
    "train.shuffle_batch": _QUEUES, "train.Coordinator": _QUEUES, "train.QueueRunner": _QUEUES,
    "train.string_input_producer": _QUEUES, "FIFOQueue": _QUEUES, "TFRecordReader": _QUEUES,
    "python_io": _QUEUES, "data": "Dataset.from_tensor_slices, of arrays; for files shared.data's loaders",
    "read_file": _FILES, "WholeFileReader": _FILES, "TextLineReader": _FILES,
    "gfile": "Python's own open and pathlib",
    "image": f"{_FILES}; resize_images is here, and shared.data.transforms are for arrays",
    "string": _STRINGS, "decode_raw": _STRINGS, "string_split": _STRINGS, "regex_replace": _STRINGS,
    "SparseTensor": "numbers are dense here: give an array, or ids to nn.embedding_lookup",
    "sparse_placeholder": "numbers are dense here: give an array, or ids to nn.embedding_lookup",
    "NodeDef": _PROTO, "GraphDef": _PROTO, "import_graph_def": _PROTO, "MetaGraphDef": _PROTO,
    "saved_model": _PROTO, "graph_util": _PROTO, "train.write_graph": _PROTO,
    "train.import_meta_graph": _PROTO,
    "train.Server": _PLACES, "train.ClusterSpec": _PLACES, "train.replica_device_setter": _PLACES,
    "train.MonitoredTrainingSession": "a for loop, a train.Saver, and static.Hook around every op",
    "train.MonitoredSession": "a for loop, a train.Saver, and static.Hook around every op",
    "train.Supervisor": "a for loop, a train.Saver, and static.Hook around every op",
    "train.FtrlOptimizer": "train.AdagradOptimizer, or a rule of your own: a class of shared.optim.Optimizer",
    "flags": "Python's argparse", "Variables": "static.Variable, or static.global_variables()",
    "TensorArray": "static.scan, whose ys are stacked", "colocate_with": _PLACES,
    "summary.text": "TensorBoard is told numbers and images: summary.scalar, histogram, image",
    "summary.audio": "TensorBoard is told numbers and images: summary.scalar, histogram, image",
    "nn.rnn": "nn.static_rnn, since 1.0", "nn.seq2seq": "nn.dynamic_rnn, or static.scan",
    "scalar_summary": "summary.scalar, since 1.0", "merge_all_summaries": "summary.merge_all, since 1.0",
    "train.SummaryWriter": "summary.FileWriter, since 1.0", "nn.fixed_unigram_candidate_sampler":
    "nn.log_uniform_candidate_sampler, or sampled_values of your own",
}  # fmt: skip

WORDS: Any = Words(ROWS, ABSENT, PLACES)
