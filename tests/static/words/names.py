"""The names that 76 tutorials of TensorFlow 1's time use, the most frequent first."""

_USED = """
Session reduce_mean placeholder global_variables_initializer matmul argmax float32 Variable cast equal
random_normal nn.softmax nn.softmax_cross_entropy_with_logits train.GradientDescentOptimizer
train.AdamOptimizer nn.relu add int32 reduce_sum reshape zeros
nn.sparse_softmax_cross_entropy_with_logits layers.dense nn.sigmoid contrib.layers.flatten layers.conv2d
variable_scope train.RMSPropOptimizer log int64 layers.max_pooling2d layers.dropout pow device constant
multiply estimator.inputs.numpy_input_fn contrib.eager enable_eager_execution
data.Dataset.from_tensor_slices sqrt unstack nn.dropout nn.embedding_lookup square train.Saver
summary.scalar summary.FileWriter name_scope summary.merge_all convert_to_tensor
estimator.ModeKeys.PREDICT metrics.accuracy train.get_global_step estimator.Estimator
estimator.EstimatorSpec nn.tanh concat shape transpose get_default_graph nn.nce_loss nn.max_pool
nn.conv2d summary.histogram ConfigProto int16 logging.ERROR logging.INFO contrib.learn.RunConfig
logging.set_verbosity arg_min negative abs group nn.bias_add layers.conv2d_transpose
GraphKeys.TRAINABLE_VARIABLES get_collection layers.average_pooling2d range stack
contrib.rnn.BasicLSTMCell gather contrib.rnn.static_rnn layers layers.Dense exp trainable_variables
gradients image.decode_jpeg string train.slice_input_producer read_file train.start_queue_runners
train.batch image.resize_images add_n NodeDef expand_dims random_uniform split Variables
train.get_checkpoint_state sigmoid zeros_like ones_like nn.sigmoid_cross_entropy_with_logits tanh
"""
USED = _USED.split()

_ABSENT = """
estimator.inputs.numpy_input_fn contrib.eager enable_eager_execution estimator.Estimator
estimator.EstimatorSpec contrib.learn.RunConfig image.decode_jpeg string train.slice_input_producer
read_file train.start_queue_runners train.batch NodeDef Variables
"""
ABSENT = _ABSENT.split()
"""Those that are not here: asking for one says what to write."""
