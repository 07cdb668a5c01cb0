"""The recipe of image-ingress-nginx: Debian's nginx with the controller's own template and Lua code.

What it differs in from upstream's is told in docs/images.md.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

from toolchain.errors import ToolchainError
from toolchain.recipes.images import (
    GO_WRAPPERS,
    IMAGES,
    dockerfile_folder,
    finish,
    go_module,
    unpack_debian,
)
from toolchain.sources.build import BuildContext, Recipe, without_debian

# The release whose nginx knows the directives of the template.
_SUITE = "trixie"
_NGINX_PACKAGES = (
    *("nginx", "nginx-common", "dumb-init", "diffutils", "libmimalloc3"),
    *("libnginx-mod-http-lua", "libnginx-mod-http-ndk", "libnginx-mod-stream"),
    "libnginx-mod-http-headers-more-filter",
    *("lua-cjson", "lua-resty-core", "lua-resty-lrucache", "libluajit-5.1-2", "libluajit-5.1-common"),
    *("libc6", "libgcc-s1", "libcrypt1", "libpcre2-8-0", "libssl3t64", "libzstd1", "zlib1g"),
)
_WRITABLE = ("ssl", "auth", "geoip", "telemetry")
# From this release on, packages rely on these being the same as those below usr.
_MERGED = ("bin", "sbin", "lib", "lib64")


def ingress_nginx(context: BuildContext) -> None:
    """Debian's nginx, the controller, and from the controller's module what it makes nginx's set-up of."""
    programs = context.dependency("ingress-nginx-controller") / "bin"
    folder = dockerfile_folder(
        context,
        "ingress-nginx",
        nginx_ingress_controller=programs / "nginx-ingress-controller",
        wait_shutdown=programs / "wait-shutdown",
    )
    _unpack(context, _NGINX_PACKAGES, folder)
    _link_and_clear(folder / "root")
    for name in _WRITABLE:
        (folder / "ingress-controller" / name).mkdir(parents=True)
    (folder / "log").mkdir()
    (folder / "log/access.log").symlink_to("/dev/stdout")
    (folder / "log/error.log").symlink_to("/dev/stderr")
    _nginx_set_up(context, folder)
    finish(context, folder)


def _link_and_clear(root: Path) -> None:
    """What the controller and its chart look for where upstream's image has it; root's folders make way."""
    (root / "usr/bin/nginx").symlink_to("../sbin/nginx")
    allocator = next(root.glob("usr/lib/*/libmimalloc.so.3")).relative_to(root)
    (root / "usr/local/lib").mkdir(parents=True)
    (root / "usr/local/lib/libmimalloc.so").symlink_to(f"/{allocator}")
    for name in ("var/lib/nginx", "var/log/nginx"):
        shutil.rmtree(root / name)


def _nginx_set_up(context: BuildContext, folder: Path) -> None:
    source = go_module(context, "ingress-nginx-controller", "k8s.io/ingress-nginx") / "rootfs/etc/nginx"
    target = folder / "etc-nginx"
    for name in ("lua", "template", "nginx.conf"):
        _copy(source / name, target / name)
    shutil.rmtree(target / "lua/test")
    shutil.copytree(folder / "lua", target / "lua", dirs_exist_ok=True)
    for name in ("modules.conf", "check.conf"):
        shutil.copy(folder / name, target / name)
    shutil.copy(folder / "root/etc/nginx/mime.types", target / "mime.types")
    template = target / "template/nginx.tmpl"
    template.write_text(
        adapted(template.read_text(encoding="utf-8"), (folder / "stream.conf").read_text(encoding="utf-8")),
        encoding="utf-8",
    )


def adapted(template: str, stream: str) -> str:
    """The controller's template for an nginx whose modules are loaded, and which has no Lua for streams."""
    pid, block, after = "\npid {{ .PID }};\n", "\nstream {\n", "\n{{/* definition of templates"
    for marker in (pid, block, after):
        if template.count(marker) != 1:
            raise ToolchainError(
                f"image-ingress-nginx: the controller's template has no single {marker.strip()!r}",
                hint="adapt toolchain/recipes/ingress_nginx.py to the controller's version",
            )
    head, _, rest = template.partition(block)
    tail = rest[rest.index(after) :]
    return head.replace(pid, f"{pid}\ninclude /etc/nginx/modules.conf;\n") + "\n" + stream + tail


def _unpack(context: BuildContext, packages: tuple[str, ...], folder: Path) -> None:
    root = folder / "root"
    unpack_debian(context, _SUITE, packages, root)
    for name in _MERGED:
        if not (root / name).exists():
            (root / name).symlink_to(f"usr/{name}")
    (root / "tmp").mkdir()
    (root / "tmp").chmod(0o1777)
    (folder / "empty").mkdir()


def _copy(source: Path, target: Path) -> None:
    """A file or folder out of the Go module cache, which keeps everything read-only."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target, copy_function=shutil.copyfile)
    else:
        shutil.copyfile(source, target)
    for folder in (path for path in (target, *target.rglob("*")) if path.is_dir()):
        folder.chmod(0o755)


RECIPES: Mapping[str, Recipe] = {
    "image-ingress-nginx": Recipe(
        needs=("go", "ingress-nginx-controller"),
        inputs=(IMAGES / "ingress-nginx", GO_WRAPPERS / "ingress-nginx-controller", Path(__file__)),
        build=ingress_nginx,
        impossible=without_debian,
    ),
}
