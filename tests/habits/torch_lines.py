"""Lines of PyTorch as training code has them, gathered from public programs of all kinds (image classifiers,
language models, GANs, reinforcement learning, variational autoencoders, physics), a line each and cut to what is called.

A line is run with `torch`, `nn`, `F`, `optim`, `np` and the values of `fixtures`, once with PyTorch and once with
Diptych in its place; what its last expression gives is compared. ` // ` stands for a new line.
"""

# what reads well is one line an entry
TENSORS = """
torch.cat([x, y], dim=1)
torch.cat((x, y), 0)
torch.stack([x, y], dim=0)
torch.stack([x, y])
x.view(-1, 10)
x.view(x.size(0), -1)
x.reshape(-1)
x.size()
x.size(0)
x.size(-1)
x.shape[0]
x.dim()
x.numel()
torch.numel(x)
x.t()
x.T
x.transpose(0, 1)
torch.transpose(x, 0, 1)
img.permute(0, 2, 3, 1)
torch.permute(img, (0, 2, 3, 1))
img.permute(0, 2, 3, 1).contiguous()
img.flatten(1)
img.flatten(start_dim=1)
torch.flatten(img, 1)
torch.flatten(img, start_dim=1)
x.unsqueeze(0)
x.unsqueeze(-1)
torch.unsqueeze(x, 1)
x.unsqueeze(1).squeeze(1)
torch.squeeze(x.unsqueeze(0))
x.squeeze()
x.expand(3, 4, 5)
x[:1].expand(4, -1)
x.expand_as(y)
x.repeat(2, 1)
x.repeat_interleave(2, dim=0)
torch.repeat_interleave(x, 2, dim=1)
torch.tile(x, (2, 1))
x.chunk(2, dim=0)[1]
torch.chunk(x, 2, dim=0)[0]
x.split(2)[0]
torch.split(x, [1, 3], dim=0)[1]
torch.split(x, 2, dim=1)[2]
torch.unbind(x, dim=0)[1]
x.narrow(1, 1, 2)
x.index_select(0, i)
torch.index_select(x, 1, torch.tensor([0, 2]))
x.gather(1, j)
torch.gather(x, 1, j)
x.scatter(1, j, 1.0)
torch.zeros(4, 5).scatter_(1, j, 1.0)
torch.zeros(4, 5).scatter_add_(1, j, torch.ones(4, 1))
x.masked_fill(mask, 0.0)
x.masked_fill(mask, float("-inf"))
x.detach().masked_fill_(mask, 0.0)
torch.masked_select(x, mask)
x[mask]
x[:, 1:3]
x[..., -1]
x[i, torch.arange(4)]
torch.where(mask, x, y)
torch.where(x > 0, x, torch.zeros_like(x))
x.clamp(0, 1)
x.clamp(min=0)
torch.clamp(x, min=-1.0, max=1.0)
torch.clamp(x, -0.5, 0.5)
x.clip(0, 1)
x.abs()
torch.abs(x)
x.exp()
x.log1p()
torch.log(y.abs() + 1e-8)
x.pow(2)
torch.pow(x, 2)
x ** 2
x.sqrt().isnan().any()
torch.sqrt(y * y + 1)
torch.rsqrt(y * y + 1)
x.sigmoid()
torch.sigmoid(x)
x.tanh()
torch.tanh(x)
torch.relu(x)
x.relu()
x.softmax(dim=-1)
torch.softmax(x, dim=1)
x.log_softmax(dim=1)
torch.log_softmax(x, dim=1)
torch.logsumexp(x, dim=1)
x.logsumexp(dim=1, keepdim=True)
x.sum()
x.sum(dim=1)
x.sum(1)
x.sum(dim=1, keepdim=True)
x.sum(-1, keepdim=True)
torch.sum(x, dim=0)
torch.sum(x, dim=(0, 1))
x.mean()
x.mean(dim=0)
x.mean(0, keepdim=True)
img.mean([2, 3])
img.mean(dim=(2, 3))
torch.mean(x)
torch.mean(x, dim=1, keepdim=True)
x.std()
x.std(dim=0)
x.var(dim=0, unbiased=False)
torch.var(x, dim=1)
torch.std(x, dim=0, unbiased=True)
x.norm()
x.norm(dim=1)
torch.norm(x)
x.norm(p=2, dim=1, keepdim=True)
x.prod(dim=1)
x.cumsum(dim=0)
torch.cumsum(x, dim=1)
x.max()
x.min()
torch.max(x)
torch.max(x, dim=1)[0]
torch.max(x, 1)[1]
torch.max(x, y)
torch.min(x, dim=0).values
torch.maximum(x, y)
torch.amax(x, dim=1)
x.amax(dim=1, keepdim=True)
x.argmax(dim=1)
x.argmax(1)
x.argmax(dim=1, keepdim=True)
torch.argmax(x, dim=-1)
torch.argmin(x, dim=0)
torch.topk(x, 2)[0]
x.topk(2, dim=1)[1]
torch.sort(x, dim=1)[0]
torch.sort(x, descending=True).indices
torch.argsort(x, dim=1)
x.argsort(dim=1, descending=True)
torch.median(x)
x.eq(y).sum()
(x.argmax(1) == labels).float().mean()
x.gt(0).float()
x.lt(0.5)
x.ge(0)
x.le(0)
x.ne(y)
torch.eq(x, y)
torch.allclose(x, x + 1e-9)
torch.equal(x, x)
torch.isnan(x).any()
torch.isfinite(x).all()
x.add(y)
x.sub(y)
x.mul(2)
x.div(2)
torch.add(x, y)
torch.mul(x, y)
torch.sub(x, y)
torch.div(x, y)
x.neg()
x.sign()
x.round()
x.floor()
x.ceil()
x.trunc()
x.fmod(2)
x.remainder(2)
x // 2
x % 2
torch.addmm(torch.zeros(3), x, w)
torch.mm(x, w)
x.mm(w)
x @ w
torch.matmul(x, w)
x.matmul(w)
torch.bmm(batch, batch.transpose(1, 2))
batch.bmm(batch.transpose(-2, -1))
torch.baddbmm(batch @ batch.mT, batch, batch.mT)
torch.dot(v, v)
v.dot(v)
torch.outer(v, v)
torch.ger(v, v)
torch.einsum("ij,jk->ik", x, w)
torch.einsum("bij,bkj->bik", batch, batch)
torch.tril(torch.ones(4, 4))
torch.triu(torch.ones(4, 4), diagonal=1)
torch.tril(torch.ones(4, 4)).view(1, 1, 4, 4)
torch.triu(torch.full((3, 3), float("-inf")), diagonal=1)
torch.diag(v)
torch.eye(3)
torch.arange(5)
torch.arange(0, 10, 2)
torch.arange(0, 1, 0.25)
torch.arange(4, dtype=torch.float32)
torch.arange(4).unsqueeze(0).expand(2, 4)
torch.linspace(0, 1, 5)
torch.linspace(0, 1, steps=5)
torch.meshgrid(torch.arange(2), torch.arange(3), indexing="ij")[0]
torch.zeros(2, 3)
torch.zeros((2, 3))
torch.zeros(2, 3, dtype=torch.long)
torch.ones(2, 3)
torch.ones_like(x)
torch.zeros_like(x)
torch.full((2, 3), 0.5)
torch.full((2, 3), 7)
torch.full_like(x, 2.0)
torch.empty(2, 3).shape
torch.empty_like(x).shape
torch.rand(2, 3).shape
torch.randn(2, 3).shape
torch.randn_like(x).shape
torch.rand_like(x).shape
torch.randint(0, 10, (4,)).shape
torch.randint(10, (4, 2)).max() < 10
torch.randperm(6).sort()[0]
torch.multinomial(torch.softmax(x, dim=-1), 1).shape
torch.bernoulli(torch.full((3,), 1.0))
torch.normal(0.0, 1.0, (2, 2)).shape
torch.tensor([1.0, 2.0])
torch.tensor([[1, 2], [3, 4]])
torch.tensor(3.5).item()
torch.tensor([1, 2], dtype=torch.float32)
torch.as_tensor(np.ones(3))
torch.from_numpy(np.ones(3))
torch.Tensor([1, 2, 3])
torch.FloatTensor([1, 2, 3])
torch.LongTensor([1, 2, 3])
x.float()
i.float()
x.long()
x.int()
x.double()
x.half()
x.bool()
x.to(torch.float64)
x.to(torch.device("cpu"))
x.to("cpu")
x.type(torch.float64)
x.type_as(x.double())
x.cpu()
x.detach()
x.detach().cpu().numpy()
x.clone()
x.data
x.tolist()
x[0, 0].item()
x.dtype == torch.float32
x.is_contiguous()
x.requires_grad
x.new_zeros(2, 3)
x.new_ones(2)
torch.is_tensor(x)
torch.is_floating_point(x)
isinstance(x, torch.Tensor)
len(x)
x.ndim
x.roll(1, 0)
torch.roll(x, shifts=1, dims=0)
x.flip(0)
torch.flip(x, dims=[0, 1])
torch.nn.functional.pad(x, (1, 1))
torch.cdist(x, y)
torch.cosine_similarity(x, y, dim=1)
torch.erf(x)
torch.sin(x) + torch.cos(x)
torch.atan2(x, y)
torch.exp(-x)
torch.log2(y * y + 1)
torch.lerp(x, y, 0.3)
torch.logical_and(mask, ~mask).any()
(mask & ~mask).sum()
torch.unique(labels)
torch.bincount(labels, minlength=6)
torch.nonzero(mask).shape
mask.nonzero().shape
torch.cumprod(y * 0 + 0.5, dim=1)
torch.searchsorted(torch.tensor([1.0, 2.0, 3.0]), torch.tensor([0.5, 2.5]))
torch.linalg.norm(x)
torch.trace(w[:3])
x.sum().backward(); x.grad
(x * y).sum().backward(); x.grad
x.sum(dim=1).mean().backward(); x.grad.shape
torch.autograd.grad((x ** 2).sum(), x)[0]
torch.autograd.grad((x ** 2).sum(), x, create_graph=True)[0].sum()
x.grad is None
z = x.detach().clone().requires_grad_(True); (z * 2).sum().backward(); z.grad
z = x * 2; z.retain_grad(); z.sum().backward(); z.grad
z = x.detach(); z += 1; z
z = x.detach().clone(); z.add_(1); z
z = x.detach().clone(); z.mul_(2).clamp_(0, 1); z
z = x.detach().clone(); z.zero_(); z
z = x.detach().clone(); z.fill_(3.0); z
z = x.detach().clone(); z.copy_(y); z
z = x.detach().clone(); z[0] = 0; z
z = x.detach().clone(); z.mul_(0.9).add_(y, alpha=0.1); z
z = x.detach().clone(); z.sub_(y, alpha=2); z
z = x.detach().clone(); z.lerp_(y, 0.1); z
x.add(y, alpha=2)
torch.add(x, y, alpha=0.5)
torch.sub(x, y, alpha=0.5)
x.topk(3, dim=1, largest=True, sorted=True)[0]
torch.std_mean(x, dim=1)
torch.var_mean(x, dim=-1, keepdim=True)
torch.std_mean(x)
torch.diagonal(batch @ batch.mT, dim1=-2, dim2=-1)
torch.autograd.grad(outputs=x * 2, inputs=x, grad_outputs=torch.ones(4, 5), create_graph=True, retain_graph=True, only_inputs=True)[0]
torch.autograd.grad((x ** 2).sum(), iter([x]))[0]
torch.utils.checkpoint.checkpoint(torch.tanh, x, use_reentrant=False)
with torch.autocast(device_type="cpu", enabled=False): r = x // r.shape
torch.set_num_threads(1) is None
torch.get_rng_state() is not None
"""

LAYERS = """
nn.Linear(5, 3)(x).shape
nn.Linear(5, 3, bias=False)(x).shape
nn.Sequential(nn.Linear(5, 8), nn.ReLU(), nn.Linear(8, 2))(x).shape
nn.ReLU(inplace=True)(y)
nn.LeakyReLU(0.2, inplace=True)(y)
nn.ELU()(x)
nn.GELU()(x)
nn.GELU(approximate="tanh")(x)
nn.SiLU()(x)
nn.Hardswish()(x)
nn.Sigmoid()(x)
nn.Tanh()(x)
nn.Softplus()(x)
nn.Softmax(dim=1)(x)
nn.LogSoftmax(dim=-1)(x)
nn.Dropout(0.5).eval()(x)
nn.Dropout(p=0.5)(x).shape
nn.Dropout2d(0.5).eval()(img)
nn.Flatten()(img)
nn.Identity()(x)
nn.Conv2d(3, 4, 3)(img).shape
nn.Conv2d(3, 4, kernel_size=3, stride=2, padding=1, bias=False)(img).shape
nn.Conv2d(3, 6, 3, groups=3, padding="same")(img).shape
nn.ConvTranspose2d(3, 4, 4, 2, 1)(img).shape
nn.Conv1d(5, 3, 2)(batch.transpose(1, 2)).shape
nn.MaxPool2d(2)(img)
nn.MaxPool2d(kernel_size=2, stride=2)(img)
nn.AvgPool2d(2)(img)
nn.AdaptiveAvgPool2d((1, 1))(img)
nn.AdaptiveAvgPool2d(1)(img)
nn.BatchNorm2d(3)(img)
nn.BatchNorm1d(5)(x)
nn.LayerNorm(5)(x)
nn.LayerNorm([5], eps=1e-6)(x)
nn.GroupNorm(1, 3)(img)
nn.InstanceNorm2d(3)(img)
nn.Embedding(10, 4)(labels).shape
nn.Embedding(10, 4, padding_idx=0)(labels).shape
nn.LSTM(5, 6, batch_first=True)(batch)[0].shape
nn.LSTM(5, 6, num_layers=2, bidirectional=True)(batch)[1][0].shape
nn.GRU(5, 6)(batch)[0].shape
nn.RNN(5, 6, nonlinearity="relu")(batch)[0].shape
nn.LSTMCell(5, 6)(x)[0].shape
nn.MultiheadAttention(6, 2, batch_first=True)(six, six, six)[0].shape
nn.TransformerEncoderLayer(6, 2, batch_first=True)(six).shape
nn.TransformerEncoder(nn.TransformerEncoderLayer(d_model=6, nhead=2), num_layers=2)(six).shape
nn.PixelShuffle(2)(torch.ones(1, 4, 2, 2))
nn.Upsample(scale_factor=2, mode="nearest")(img)
nn.ZeroPad2d(1)(img)
nn.ModuleList([nn.Linear(5, 5) for _ in range(3)])[1](x).shape
nn.ModuleDict({"a": nn.Linear(5, 5)})["a"](x).shape
nn.Parameter(torch.zeros(3)).requires_grad
nn.Parameter(torch.randn(3, 4)).shape
nn.CrossEntropyLoss()(x, labels)
nn.CrossEntropyLoss(reduction="none")(x, labels)
nn.CrossEntropyLoss(label_smoothing=0.1)(x, labels)
nn.CrossEntropyLoss(ignore_index=0)(x, labels)
nn.CrossEntropyLoss(weight=torch.ones(5))(x, labels)
nn.NLLLoss()(torch.log_softmax(x, dim=1), labels)
nn.MSELoss()(x, y)
nn.MSELoss(reduction="sum")(x, y)
nn.L1Loss()(x, y)
nn.SmoothL1Loss()(x, y)
nn.BCELoss()(torch.sigmoid(x), (y > 0).float())
nn.BCEWithLogitsLoss()(x, (y > 0).float())
nn.KLDivLoss(reduction="batchmean")(torch.log_softmax(x, dim=1), torch.softmax(y, dim=1))
nn.HuberLoss()(x, y)
nn.CosineEmbeddingLoss()(x, y, torch.ones(4))
F.relu(x)
F.relu(y, inplace=True)
F.leaky_relu(x, 0.2)
F.leaky_relu(y, negative_slope=0.1, inplace=True)
F.elu(x)
F.gelu(x)
F.silu(x)
F.softplus(x)
F.sigmoid(x)
F.tanh(x)
F.softmax(x, dim=1)
F.softmax(x, dim=-1)
F.log_softmax(x, dim=1)
F.dropout(x, p=0.5, training=False)
F.dropout(x, 0.5, training=True).shape
F.linear(x, w.t())
F.cross_entropy(x, labels)
F.cross_entropy(x, labels, reduction="sum")
F.cross_entropy(x.view(-1, x.size(-1)), labels.view(-1), ignore_index=-1)
F.nll_loss(F.log_softmax(x, dim=1), labels)
F.nll_loss(F.log_softmax(x, dim=1), labels, reduction="sum").item()
F.mse_loss(x, y)
F.mse_loss(x, y, reduction="none")
F.l1_loss(x, y)
F.smooth_l1_loss(x, y)
F.binary_cross_entropy(torch.sigmoid(x), (y > 0).float())
F.binary_cross_entropy(torch.sigmoid(x), (y > 0).float(), reduction="sum")
F.binary_cross_entropy_with_logits(x, (y > 0).float())
F.kl_div(F.log_softmax(x, dim=1), F.softmax(y, dim=1), reduction="batchmean")
F.one_hot(labels, num_classes=5)
F.one_hot(labels, 5).float()
F.normalize(x, dim=1)
F.normalize(x, p=2, dim=-1)
F.cosine_similarity(x, y)
F.cosine_similarity(x, y, dim=0)
F.pairwise_distance(x, y)
F.conv2d(img, torch.ones(4, 3, 3, 3), padding=1)
F.conv2d(img, torch.ones(4, 3, 3, 3), None, 2, 1)
F.conv1d(batch.transpose(1, 2), torch.ones(2, 5, 2))
F.max_pool2d(img, 2)
F.max_pool2d(img, kernel_size=2, stride=2)
F.max_pool2d(img, 3, 2, 1)
F.avg_pool2d(img, 4)
F.adaptive_avg_pool2d(img, (1, 1))
F.adaptive_avg_pool2d(img, 1).view(img.size(0), -1)
F.interpolate(img, scale_factor=2, mode="nearest")
F.interpolate(img, size=(4, 4), mode="bilinear", align_corners=False)
F.pad(x, (1, 2))
F.pad(img, (1, 1, 2, 2), "constant", 0)
F.pad(img, (1, 1, 1, 1), mode="reflect")
F.layer_norm(x, (5,))
F.batch_norm(x, torch.zeros(5), torch.ones(5))
F.embedding(labels, torch.ones(10, 3))
F.scaled_dot_product_attention(batch, batch, batch)
F.scaled_dot_product_attention(batch, batch, batch, is_causal=True)
F.unfold(img, 3).shape
F.hardtanh(x)
F.logsigmoid(x)
F.grid_sample(img, torch.zeros(2, 4, 4, 2), align_corners=False).shape
"""

TRAINING = """
[n for n, p in net.named_parameters()]
[p.shape for p in net.parameters()]
sum(p.numel() for p in net.parameters())
sum(p.numel() for p in net.parameters() if p.requires_grad)
[n for n, m in net.named_modules()]
[type(m).__name__ for m in net.children()]
[n for n, m in net.named_children()]
list(net.state_dict().keys())
net.load_state_dict(net.state_dict()) is not None
net.load_state_dict(net.state_dict(), strict=False) is not None
net.train() is net
net.eval() is net
net.training
net.to("cpu") is net
net.to(torch.device("cpu")) is net
net.double()(x.double()).dtype == torch.float64
net.float() is net
net.zero_grad()
net.zero_grad(set_to_none=True)
net.requires_grad_(False) is net
net.apply(lambda m: None) is net
net[0].weight.shape
net[0].weight.data.shape
net[0].bias.grad is None
net[0].weight.data.fill_(0.5); net[0].weight
net[0].weight.data.normal_(0, 0.02).shape
net[0].weight.data.zero_(); net[0].weight
net[0].in_features
net[0].weight.requires_grad = False; net[0].weight.requires_grad
[p.requires_grad_(False) for p in net.parameters()]; any(p.requires_grad for p in net.parameters())
with torch.no_grad(): [p.add_(torch.ones_like(p), alpha=-0.1) for p in net.parameters()] // net[0].weight
torch.autograd.grad(net(x).sum(), net.parameters())[0]
nn.init.xavier_uniform_(net[0].weight).shape
nn.init.kaiming_normal_(net[0].weight, mode="fan_out", nonlinearity="relu").shape
nn.init.zeros_(net[0].bias)
nn.init.constant_(net[0].bias, 0.1)
nn.init.normal_(net[0].weight, 0.0, 0.02).shape
nn.init.normal_(net[0].weight, mean=0.0, std=0.02).shape
nn.init.orthogonal_(net[0].weight).shape
nn.init.uniform_(net[0].weight, -0.1, 0.1).shape
nn.init.ones_(net[0].weight)
nn.init.trunc_normal_(net[0].weight, std=0.02).shape
nn.init.eye_(net[0].weight)
net.register_buffer("steps", torch.zeros(3)); net.steps
net.register_parameter("scale", nn.Parameter(torch.ones(3))); net.scale
net.add_module("extra", nn.Linear(3, 3)); [n for n, m in net.named_children()]
[n for n, b in nn.BatchNorm1d(3).named_buffers()]
hasattr(net, "weight")
next(net.parameters()).is_cuda
isinstance(net[0], nn.Linear)
isinstance(net, nn.Module)
optim.SGD(net.parameters(), lr=0.1).param_groups[0]["lr"]
optim.SGD(net.parameters(), lr=0.1, momentum=0.9, weight_decay=1e-4, nesterov=True).param_groups[0]["momentum"]
optim.Adam(net.parameters(), lr=1e-3, betas=(0.5, 0.999)).param_groups[0]["betas"]
optim.Adam(net.parameters(), 1e-3).param_groups[0]["lr"]
optim.AdamW(net.parameters(), lr=3e-4, weight_decay=0.01).param_groups[0]["weight_decay"]
optim.RMSprop(net.parameters(), lr=1e-3, alpha=0.9).param_groups[0]["alpha"]
optim.Adagrad(net.parameters(), lr=1e-2).param_groups[0]["lr"]
len(optim.SGD([{"params": net[0].parameters()}, {"params": net[2].parameters(), "lr": 1e-3}], lr=0.1).param_groups)
o = optim.SGD(net.parameters(), lr=0.1); o.zero_grad(); net(x).sum().backward(); o.step(); net[0].weight
o = optim.SGD(net.parameters(), lr=0.1); o.zero_grad(set_to_none=True); net(x).sum().backward(); o.step(); net[2].bias
o = optim.Adam(net.parameters(), lr=0.1); net(x).sum().backward(); o.step(); o.step(); net[0].weight
o = optim.SGD(net.parameters(), lr=0.1); o.param_groups[0]["lr"] = 0.5; net(x).sum().backward(); o.step(); net[0].weight
o = optim.SGD(net.parameters(), lr=0.1) // for g in o.param_groups: g["lr"] *= 0.1 // o.param_groups[0]["lr"]
o = optim.SGD(net.parameters(), lr=0.1); s = optim.lr_scheduler.StepLR(o, step_size=2, gamma=0.1); net(x).sum().backward(); [(o.step(), s.step(), o.param_groups[0]["lr"])[2] for _ in range(5)]
o = optim.SGD(net.parameters(), lr=0.1); s = optim.lr_scheduler.CosineAnnealingLR(o, T_max=10); net(x).sum().backward(); [(o.step(), s.step(), s.get_last_lr()[0])[2] for _ in range(5)]
o = optim.SGD(net.parameters(), lr=0.1); s = optim.lr_scheduler.ExponentialLR(o, gamma=0.9); net(x).sum().backward(); [(o.step(), s.step(), s.get_last_lr()[0])[2] for _ in range(3)]
o = optim.SGD(net.parameters(), lr=0.1); s = optim.lr_scheduler.MultiStepLR(o, milestones=[2, 4], gamma=0.5); net(x).sum().backward(); [(o.step(), s.step(), s.get_last_lr()[0])[2] for _ in range(5)]
o = optim.SGD(net.parameters(), lr=0.1); s = optim.lr_scheduler.LambdaLR(o, lr_lambda=lambda e: 0.5 ** e); net(x).sum().backward(); [(o.step(), s.step(), s.get_last_lr()[0])[2] for _ in range(3)]
o = optim.SGD(net.parameters(), lr=0.1); s = optim.lr_scheduler.ReduceLROnPlateau(o, "min", patience=1); [(s.step(1.0), o.param_groups[0]["lr"])[1] for _ in range(4)]
o = optim.SGD(net.parameters(), lr=0.1); o.load_state_dict(o.state_dict()); len(o.param_groups)
net(x).sum().backward(); nn.utils.clip_grad_norm_(net.parameters(), 1.0)
net(x).sum().backward(); nn.utils.clip_grad_norm_(net.parameters(), max_norm=0.5); net[0].weight.grad
net(x).sum().backward(); torch.nn.utils.clip_grad_value_(net.parameters(), 0.1); net[2].bias.grad
net(x).sum().backward(); net[0].weight.grad.norm()
net(x).sum().backward(); net[0].weight.grad.data.shape
net(x).sum().backward(); [p.grad.abs().mean().item() for p in net.parameters()]
net(x).sum().backward(); net[0].weight.grad.zero_(); net[0].weight.grad
with torch.no_grad(): r = net(x) // r.requires_grad
with torch.no_grad(): net[0].weight -= 0.1 * torch.ones(8, 5) // net[0].weight
with torch.no_grad(): net[0].weight.copy_(torch.ones(8, 5)) // net[0].weight
with torch.no_grad(): net[0].weight.mul_(0.5); r = 0 // net[0].weight
with torch.inference_mode(): r = net(x) // r.requires_grad
with torch.enable_grad(): r = net(x) // r.requires_grad
with torch.set_grad_enabled(False): r = net(x) // r.requires_grad
torch.is_grad_enabled()
torch.manual_seed(0) is not None
torch.cuda.is_available()
torch.device("cuda" if torch.cuda.is_available() else "cpu").type
torch.get_default_dtype() == torch.float32
torch.finfo(torch.float32).max
torch.float32
x.to(dtype=torch.float64).dtype == torch.float64
(net(x).argmax(dim=1) == labels).sum().item()
net(x).argmax(dim=1).eq(labels).float().mean().item()
net(x).max(1)[1].eq(labels).sum().item()
torch.max(net(x).data, 1)[1]
net(x).data.max(1, keepdim=True)[1].shape
loss = F.cross_entropy(net(x), labels); loss.backward(); loss.item()
loss = nn.CrossEntropyLoss()(net(x), labels); float(loss)
loss = F.mse_loss(net(x), torch.zeros(4, 5)); f"{loss.item():.4f}"
len(torch.utils.data.TensorDataset(x, labels))
len(torch.utils.data.DataLoader(torch.utils.data.TensorDataset(x, labels), batch_size=2, shuffle=True))
[b[0].shape for b in torch.utils.data.DataLoader(torch.utils.data.TensorDataset(x.detach(), labels), batch_size=2, shuffle=False, num_workers=0)]
len(torch.utils.data.random_split(torch.utils.data.TensorDataset(x, labels), [3, 1])[0])
repr(torch.Size([2, 3])) != ""
torch.nn.Linear(5, 3)(x).shape
torch.nn.functional.relu(x)
torch.optim.SGD(net.parameters(), lr=0.1).param_groups[0]["lr"]
torch.save(net.state_dict(), path); net.load_state_dict(torch.load(path)) is not None
torch.save({"model": net.state_dict(), "step": 3}, path); torch.load(path)["step"]
m2 = nn.Sequential(nn.Linear(5, 8), nn.Tanh(), nn.Linear(8, 5)); m2.load_state_dict(net.state_dict()); (m2(x) - net(x)).abs().max().item()
torch.nn.utils.parameters_to_vector(net.parameters()).shape
copy.deepcopy(net)[0].weight
x.nelement()
torch.take_along_dim(y, j, dim=1)
x.stride()
torch.isclose(y, y)
torch.div(y, 2, rounding_mode="floor")
torch.round(y, decimals=1)
torch.sum(y, dtype=torch.float64)
torch.empty(2, 3).normal_().shape
torch.set_printoptions(precision=4)
nn.LazyLinear(2)(x).shape
nn.utils.rnn.pad_sequence([v, v]).shape
net.register_full_backward_hook(print)
net.register_forward_pre_hook(print)
net[0].weight.register_hook(print)
len(optim.SGD(net.parameters(), lr=0.1).state)
"""
