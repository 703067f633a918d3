"""The web process on a local network: HTTPS with a certificate that is taken up anew, and the page phones enrol by."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import html
import logging
import ssl
from pathlib import Path
from typing import Final

from aiohttp import web

from gridsvc.errors import BadSettings
from gridsvc.settings import HttpSettings

log = logging.getLogger(__name__)

LOOK_S: Final = 30.0


class Certificate:
    """Certificate and key in one file, which may be replaced while we serve."""

    def __init__(self, file: Path) -> None:
        """Raises BadSettings where the file cannot be used."""
        self._file = file
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.minimum_version = ssl.TLSVersion.TLSv1_2
        try:
            self._seen = file.stat().st_mtime_ns
            self.context.load_cert_chain(file)
        except OSError as trouble:  # an ssl.SSLError is one
            raise BadSettings(
                f"GRIDSVC_TLS_FOLDER: {file} holds no certificate with its key: {trouble.strerror}"
            ) from trouble

    def look(self) -> bool:
        """Take up another certificate where there is one: connections that come from here on have it."""
        try:
            seen = self._file.stat().st_mtime_ns
            if seen == self._seen:
                return False
            self.context.load_cert_chain(self._file)
        except OSError:
            log.warning("the new certificate cannot be used", extra={"action": "certificate_refused"}, exc_info=True)
            return False
        self._seen = seen
        log.info("a new certificate is used", extra={"action": "certificate_taken_up"})
        return True

    async def follow(self) -> None:
        """Look every half minute, for ever."""
        while True:
            await asyncio.sleep(LOOK_S)
            self.look()


_STYLE: Final = (
    "body{font:1.1rem/1.6 system-ui,sans-serif;max-width:34rem;margin:0 auto;padding:1rem;color:#111;background:#fff}"
    "a.do{display:block;margin:1rem 0;padding:1rem;border-radius:.5rem;background:#0b57a4;color:#fff;text-align:center;"
    "font-weight:600}code{word-break:break-all}section{border-top:1px solid #888;margin-top:2rem}"
)

_PAGE: Final = """\
<!doctype html>
<html lang="zh-CN"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<title>手机接入 · Enrol this phone</title><style>{style}</style></head><body>
<main>
<h1>手机接入</h1>
<p>本系统只在这个局域网内使用，用自己的证书加密。手机先信任一次本机构的证书，定位、拍照和离线才能使用。</p>
<a class="do" href="/authority.crt">第一步：下载证书</a>
<p>安装前请与管理员屏幕上的指纹（SHA-256）核对：</p><p><code>{fingerprint}</code></p>
<h2>安卓 · 鸿蒙</h2>
<ol><li>点“下载证书”。</li><li>打开 设置，搜索“CA 证书”（或“从存储设备安装”），选“CA 证书”，仍然安装。</li>
<li>选择下载的 authority.crt，输入锁屏密码。</li></ol>
<h2>苹果 iPhone</h2>
<ol><li>用 Safari 打开本页，点“下载证书”，允许。</li><li>设置 → 已下载描述文件 → 安装。</li>
<li>设置 → 通用 → 关于本机 → 证书信任设置 → 打开本证书的开关。缺了这一步仍不受信任。</li></ol>
<a class="do" href="{url}/">第二步：打开系统</a>
<p>证书只对内网地址和本机名有效，不能用来冒充其他网站。不再使用时，请在手机设置里删除。</p>
</main>
<section lang="en">
<h1>Enrol this phone</h1>
<p>This system works in this local network alone and is encrypted with a certificate of its own. Once the phone trusts
the authority, place, camera and work without a network are allowed.</p>
<a class="do" href="/authority.crt">1. Get the certificate</a>
<p>Before you install it, compare its SHA-256 with the one on the administrator's screen: it stands above.</p>
<h2>Android</h2>
<ol><li>Tap “Get the certificate”.</li><li>In Settings search for “CA certificate”, choose it, and install anyway.</li>
<li>Choose authority.crt and enter the code of the screen lock.</li></ol>
<h2>iPhone</h2>
<ol><li>In Safari tap “Get the certificate” and allow it.</li><li>Settings → Profile Downloaded → Install.</li>
<li>Settings → General → About → Certificate Trust Settings → switch it on. Without this it is not trusted.</li></ol>
<a class="do" href="{url}/">2. Open the system</a>
<p>The certificate counts for private addresses and this machine's name alone; nobody can use it to pretend to be
another site. Remove it in the phone's settings when you do not need it any more.</p>
</section>
</body></html>
"""


def enrolment(authority: Path, url: str) -> web.Application:
    """The page over plain HTTP that phones open first: the authority's certificate, and what to do with it.

    Nothing else is to be had there, and nothing is taken in. Raises BadSettings where there is no certificate.
    """
    try:
        certificate = ssl.PEM_cert_to_DER_cert(authority.read_text(encoding="ascii"))
    except (OSError, ValueError) as trouble:
        raise BadSettings(f"GRIDSVC_TLS_FOLDER: {authority} holds no certificate") from trouble
    shown = hashlib.sha256(certificate).hexdigest().upper()
    page = _PAGE.format(
        style=_STYLE, url=html.escape(url), fingerprint=":".join(shown[n : n + 2] for n in range(0, len(shown), 2))
    )
    style = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
    headers = {
        "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Cache-Control": "no-store",
        "Content-Security-Policy": f"default-src 'none'; style-src 'sha256-{style}'; frame-ancestors 'none';"
                                   " base-uri 'none'; form-action 'none'",
    }  # fmt: skip

    async def tell(_: web.Request) -> web.Response:
        return web.Response(text=page, content_type="text/html", headers=headers)

    async def give(_: web.Request) -> web.Response:
        named = {**headers, "Content-Disposition": 'attachment; filename="authority.crt"'}
        return web.Response(body=certificate, content_type="application/x-x509-ca-cert", headers=named)

    app = web.Application(client_max_size=1_024)
    app.router.add_get("/", tell)
    app.router.add_get("/authority.crt", give)
    return app


def certificate_of(http: HttpSettings) -> Certificate | None:
    """What HTTPS is spoken with; None where it is not. Raises BadSettings."""
    if bool(http.tls_host) != bool(http.tls_folder):
        raise BadSettings("GRIDSVC_TLS_HOST and GRIDSVC_TLS_FOLDER go together; `gridsvc up --lan` sets both")
    return Certificate(Path(http.tls_folder) / "certificate.key.pem") if http.tls_folder else None
